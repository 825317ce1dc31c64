package proxy

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
	"github.com/plumb-k8s/plumb/orchestrator/proxy/nftables"
	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// Config of a proxy.
type Config struct {
	Client   *rest.Config
	Settings *Settings
	Logger   *slog.Logger
}

// Proxy of one node.
type Proxy struct {
	cfg    Config
	state  *state
	health *health
	node   ruleset.Node
	tables []*nftables.Table
	flows  *flows

	// wake has room for one: a change that comes while another is handled is not lost.
	wake chan struct{}

	mu sync.Mutex
	// dirty are the Services that something happened to since the last sync, and since when.
	dirty map[string]struct{}
	since time.Time
}

// New prepares a proxy.
func New(cfg Config) (*Proxy, error) {
	state, err := newState(cfg.Client, cfg.Settings.HostnameOverride)
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		cfg:   cfg,
		state: state,
		flows: newFlows(cfg.Logger),
		wake:  make(chan struct{}, 1),
		dirty: map[string]struct{}{},
	}
	p.health = newHealth(cfg.Logger, p.pendingSince)
	return p, nil
}

// Run programs the packet filter until ctx ends. What it programmed stays: a node without its proxy goes on serving.
func (p *Proxy) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	prepareHost(p.cfg.Settings, p.cfg.Logger)
	var servers sync.WaitGroup
	defer servers.Wait()
	servers.Go(func() { p.serve(ctx, cancel) })
	if err := p.state.start(ctx, p.changed); err != nil {
		return stopped(ctx, err)
	}
	if err := p.setUp(); err != nil {
		return err
	}
	defer p.close()
	period := time.NewTicker(p.cfg.Settings.NFTables.SyncPeriod.Duration)
	defer period.Stop()
	p.sync(ctx)
	for {
		select {
		case <-ctx.Done():
			return stopped(ctx, nil)
		case <-p.wake:
			p.sync(ctx)
		case <-period.C:
			p.check()
		}
	}
}

func (p *Proxy) close() {
	p.health.closeAll()
	for _, table := range p.tables {
		table.Close()
	}
}

// stopped is nil when ctx ended because it was asked to.
func stopped(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && cause != context.Canceled {
		return cause
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// setUp makes the tables, once the Node has been seen.
func (p *Proxy) setUp() error {
	var podCIDRs []string
	if node := p.state.self(); node != nil {
		podCIDRs = node.Spec.PodCIDRs
	}
	options, err := filterOptions(p.cfg.Settings, podCIDRs)
	if err != nil {
		return err
	}
	p.tables = []*nftables.Table{nftables.IPv4(options)}
	if hasIPv6() {
		p.tables = append(p.tables, nftables.IPv6(options))
	}
	return nil
}

// changed marks a Service, or all of them ("") when the Node may have changed what each of them needs.
func (p *Proxy) changed(service string) {
	p.mu.Lock()
	if len(p.dirty) == 0 {
		p.since = time.Now()
	}
	p.dirty[service] = struct{}{}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// pendingSince is when the oldest change came that is not programmed yet; zero: there is none.
func (p *Proxy) pendingSince() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.since
}

func (p *Proxy) take() map[string]struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.dirty
	p.dirty = map[string]struct{}{}
	return taken
}

// sync programs everything that changed since the last sync.
func (p *Proxy) sync(ctx context.Context) {
	begin := time.Now()
	dirty := p.take()
	if _, nodeChanged := dirty[""]; nodeChanged {
		delete(dirty, "")
		p.refreshNode(dirty)
	}
	fragments := make(map[string]ruleset.Fragment, len(dirty))
	for key := range dirty {
		fragments[key] = p.compile(key)
	}
	if err := p.apply(fragments); err != nil {
		p.cfg.Logger.Error("program the packet filter", "error", err)
		syncFailures.Inc()
		// The tables remember what they should hold, and repair themselves when they are applied to again.
		time.AfterFunc(retryAfter, func() {
			for key := range fragments {
				p.changed(key)
			}
		})
		return
	}
	p.flows.forget(fragments)
	p.health.synced(p.state.self(), time.Now())
	syncSeconds.Observe(time.Since(begin).Seconds())
	p.mu.Lock()
	if len(p.dirty) == 0 {
		p.since = time.Time{}
	}
	p.mu.Unlock()
	p.cfg.Logger.Log(ctx, logs.V(2), "programmed", "services", len(fragments), "took", time.Since(begin))
}

// retryAfter is how long a transaction that the kernel refused waits.
const retryAfter = time.Second

// apply gives the fragments to every table, whatever becomes of the others.
func (p *Proxy) apply(fragments map[string]ruleset.Fragment) error {
	var errs []error
	for _, table := range p.tables {
		errs = append(errs, table.Apply(fragments))
	}
	return errors.Join(errs...)
}

func (p *Proxy) compile(key string) ruleset.Fragment {
	if name, ok := strings.CutPrefix(key, rangesOf); ok {
		return ruleset.CompileRanges(p.state.serviceRanges(name))
	}
	svc, slices := p.state.service(key)
	if svc == nil {
		p.health.remove(key)
		return nil
	}
	port, local := ruleset.HealthCheck(p.node, svc, slices)
	p.health.set(key, port, local)
	return ruleset.Compile(p.node, svc, slices)
}

// refreshNode reads the Node again; when it says something new of what rules depend on, every Service is dirty.
func (p *Proxy) refreshNode(dirty map[string]struct{}) {
	node := p.describeNode()
	if reflect.DeepEqual(node, p.node) {
		return
	}
	p.node = node
	for _, key := range p.state.services.GetStore().ListKeys() {
		dirty[key] = struct{}{}
	}
}

// check repairs what others did to the tables, and follows the node's addresses.
func (p *Proxy) check() {
	for _, table := range p.tables {
		if err := table.Check(); err != nil {
			p.cfg.Logger.Error("check the packet filter", "error", err)
		}
	}
	p.changed("")
}
