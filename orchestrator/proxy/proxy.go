package proxy

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
	"github.com/plumb-k8s/plumb/orchestrator/proxy/nftables"
	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// Config of a proxy.
type Config struct {
	Client   *rest.Config
	Settings *Settings
	Logger   *slog.Logger
	// Clock measures how long changes wait: nil is the real one.
	Clock clock.WithDelayedExecution
}

// Proxy of one node.
type Proxy struct {
	cfg      Config
	state    *state
	events   *events
	backlog  *backlog
	refusals *refusals
	health   *health
	node     ruleset.Node
	tables   []filter
	flows    *flows
	// retries are the next attempts at what was refused, by key; "" is the one at everything that is left. Only sync uses them.
	retries map[string]clock.Timer
}

// filter is the packet filter of one IP family; see nftables.Table.
type filter interface {
	Apply(fragments map[string]ruleset.Fragment) (refused map[string]error, err error)
	Check() error
	Close()
}

// New prepares a proxy.
func New(cfg Config) (*Proxy, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.RealClock{}
	}
	state, err := newState(cfg.Client, cfg.Settings.HostnameOverride)
	if err != nil {
		return nil, err
	}
	events, err := newEvents(cfg.Client, cfg.Settings.HostnameOverride)
	if err != nil {
		return nil, err
	}
	return assemble(cfg, state, events), nil
}

func assemble(cfg Config, state *state, events *events) *Proxy {
	p := &Proxy{
		cfg: cfg, state: state, events: events, backlog: newBacklog(cfg.Clock), refusals: newRefusals(cfg.Clock), flows: newFlows(cfg.Logger),
		retries: map[string]clock.Timer{},
	}
	p.health = newHealth(healthConfig{Logger: cfg.Logger, Clock: cfg.Clock, Pending: p.pendingSince, Refused: p.refusals.all})
	return p
}

// Run programs the packet filter until ctx ends. What it programmed stays: a node without its proxy goes on serving.
func (p *Proxy) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	prepareHost(p.cfg.Settings, p.cfg.Logger)
	var servers sync.WaitGroup
	defer servers.Wait()
	defer cancel(nil)
	servers.Go(func() { p.serve(ctx, cancel) })
	servers.Go(func() { p.flows.run(ctx) })
	defer p.events.start()()
	if err := p.state.start(ctx, func(key string) { p.backlog.add(key) }); err != nil {
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
		case <-p.backlog.wake:
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
	p.tables = []filter{nftables.IPv4(options)}
	if hasIPv6() {
		p.tables = append(p.tables, nftables.IPv6(options))
	}
	return nil
}

// pendingSince is when the oldest change came that is not programmed yet; zero: there is none. service is whose health is asked for: what the
// kernel refuses of others does not count then. "" asks for all of them.
func (p *Proxy) pendingSince(service string) time.Time {
	return p.backlog.oldest(func(key string) bool { return service == "" || key == service || !p.refusals.refused(key) })
}

// sync programs everything that changed since the last sync.
func (p *Proxy) sync(ctx context.Context) {
	begin := p.cfg.Clock.Now()
	dirty := p.backlog.take()
	if _, nodeChanged := dirty[""]; nodeChanged {
		delete(dirty, "")
		p.refreshNode(dirty)
	}
	fragments := make(map[string]ruleset.Fragment, len(dirty))
	for key := range dirty {
		fragments[key] = p.compile(key)
	}
	refused, err := p.apply(fragments)
	for key, why := range refused {
		p.refuse(key, why)
		delete(fragments, key)
	}
	if err != nil {
		p.cfg.Logger.Error("program the packet filter", "error", err)
		syncFailures.Inc()
		// The tables remember what they should hold, and repair themselves when they are applied to again.
		p.retry("", p.refusals.pause(""), func(key string) bool { return !p.refusals.refused(key) })
		return
	}
	for key := range fragments {
		p.accept(key)
	}
	p.accept("")
	p.flows.forget(fragments)
	p.health.synced(p.state.self())
	took := p.cfg.Clock.Since(begin)
	syncSeconds.Observe(took.Seconds())
	p.cfg.Logger.Log(ctx, logs.V(2), "programmed", "services", len(fragments), "took", took)
}

// refuse tells whom it concerns that the kernel does not take what key should have, and tries it again later.
func (p *Proxy) refuse(key string, why error) {
	syncFailures.Inc()
	news, pause := p.refusals.refuse(key, why.Error())
	if news {
		p.cfg.Logger.Error("program a Service", "service", key, "error", why)
		if svc, _ := p.state.service(key); svc != nil {
			p.events.refused(svc, why)
		}
	}
	p.retry(key, pause, func(waiting string) bool { return waiting == key })
}

// retry tries again, after a pause, what waits and counts.
func (p *Proxy) retry(key string, after time.Duration, counts func(key string) bool) {
	if earlier := p.retries[key]; earlier != nil {
		earlier.Stop()
	}
	p.retries[key] = p.cfg.Clock.AfterFunc(after, func() { p.backlog.again(counts) })
}

// accept ends the attempts at what the kernel holds now.
func (p *Proxy) accept(key string) {
	p.backlog.done(key)
	p.refusals.accept(key)
	if retry := p.retries[key]; retry != nil {
		retry.Stop()
		delete(p.retries, key)
	}
}

// apply gives the fragments to every table, whatever becomes of the others.
func (p *Proxy) apply(fragments map[string]ruleset.Fragment) (map[string]error, error) {
	refused := map[string]error{}
	var errs []error
	for _, table := range p.tables {
		of, err := table.Apply(fragments)
		for key, why := range of {
			refused[key] = errors.Join(refused[key], why)
		}
		errs = append(errs, err)
	}
	return refused, errors.Join(errs...)
}

func (p *Proxy) compile(key string) ruleset.Fragment {
	if key == serviceRanges {
		return ruleset.CompileRanges(p.state.cidrs())
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
	services := p.state.services.GetStore().ListKeys()
	p.backlog.follow("", services...)
	for _, key := range services {
		dirty[key] = struct{}{}
	}
}

// check looks for what others did to the tables, which the next sync repairs, and follows the node's addresses.
func (p *Proxy) check() {
	for _, table := range p.tables {
		if err := table.Check(); err != nil {
			p.cfg.Logger.Error("check the packet filter", "error", err)
		}
	}
	p.backlog.add("")
}
