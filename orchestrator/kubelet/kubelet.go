// Package kubelet runs the pods that are bound to a node and tells the API how they fare.
//
// This package only joins the parts: source and static (which pods) -> workers (one goroutine per pod: allocation, volumes, runtime, images, env,
// hooks, probes) -> status, beside node (the Node object and its Lease), server and stats (what others ask this node), and what keeps the node
// from running full: eviction, the collector of images, rotation of logs. It reaches the cluster through client-go and containers through CRI,
// runs no program, and works under any apiserver, as any node's kubelet of stock can be replaced by it and back without restarting a container.
package kubelet

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/config"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/eviction"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/identity"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/images"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/node"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/probes"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/rotation"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/source"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/static"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/stats"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/workers"
)

// Config of a kubelet.
type Config struct {
	Settings *config.Config
	API      *rest.Config
	NodeName string
	HostIPs  []string
	Root     string
	CertDir  string
	Labels   map[string]string
	Taints   []corev1.Taint
	Logger   *slog.Logger
	// Verbosity sets how detailed the log is, while the kubelet runs.
	Verbosity func(n int)
}

// Kubelet of one node.
type Kubelet struct{ cfg Config }

// New makes a kubelet; nothing starts.
func New(cfg Config) *Kubelet { return &Kubelet{cfg} }

// Run does a kubelet's work until ctx ends. Pods go on running after it.
func (k *Kubelet) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, err := k.assemble(ctx)
	if err != nil {
		return err
	}
	defer p.recorder.stop()
	var group sync.WaitGroup
	failed := make(chan error, 2)
	group.Go(func() { p.pods.RunWithContext(ctx) })
	group.Go(func() { p.services.RunWithContext(ctx) })
	group.Go(func() { p.node.RunWithContext(ctx) })
	group.Go(func() { p.heartbeat.Run(ctx) })
	group.Go(func() { p.reporter.Run(ctx) })
	group.Go(func() { p.workers.Run(ctx) })
	group.Go(func() { p.runtime.Events(ctx, p.workers.Wake) })
	group.Go(func() { p.evictions.Run(ctx) })
	group.Go(func() { p.collector.Run(ctx) })
	group.Go(func() { p.rotator.Run(ctx) })
	if p.folder != nil {
		group.Go(func() { p.folder.Run(ctx) })
	}
	if p.renewal != nil {
		group.Go(func() { p.renewal.Run(ctx) })
	}
	for _, server := range p.servers {
		group.Go(func() {
			if err := server(ctx); err != nil {
				failed <- err
			}
		})
	}
	var failure error
	select {
	case <-ctx.Done():
	case failure = <-failed:
		cancel()
	}
	group.Wait()
	return errors.Join(failure, p.runtime.Close(context.WithoutCancel(ctx)))
}

// parts of a kubelet, ready to run.
type parts struct {
	runtime   *runtime.Client
	workers   *workers.Manager
	pods      cache.SharedIndexInformer
	services  cache.SharedIndexInformer
	node      cache.SharedIndexInformer
	folder    *static.Folder // nil without static pods
	mirrors   *static.Mirrors
	evictions *eviction.Manager
	collector *images.Collector
	rotator   *rotation.Rotator
	measures  *stats.Reader
	prober    *probes.Manager
	reporter  *node.Reporter
	heartbeat *node.Heartbeat
	recorder  *recorder
	servers   []func(context.Context) error
	renewal   *identity.Rotator // nil when the client certificate is renewed by others
}

// assemble makes all parts. It waits for the container runtime.
func (k *Kubelet) assemble(ctx context.Context) (*parts, error) {
	cfg, s := k.cfg, k.cfg.Settings
	limitRequests(cfg.API, s)
	renewal, err := k.renewal()
	if err != nil {
		return nil, err
	}
	core, err := corev1client.NewForConfig(cfg.API)
	if err != nil {
		return nil, err
	}
	leases, err := coordinationv1client.NewForConfig(cfg.API)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(cfg.Root, "pods"), 0o750); err != nil {
		return nil, err
	}
	g, err := k.ground(ctx)
	if err != nil {
		return nil, err
	}
	events, err := corev1client.NewForConfig(eventsAPI(cfg.API, s))
	if err != nil {
		return nil, err
	}
	p := &parts{recorder: newRecorder(events, cfg.NodeName), runtime: g.runtime, renewal: renewal}
	p.services, p.node = source.Services(core), source.Node(core, cfg.NodeName)
	j := &joiner{Config: cfg, parts: p, core: core, machine: g.machine, reserved: g.reserved, tree: g.tree, able: g.able}
	p.measures = &stats.Reader{Node: cfg.NodeName, Root: cfg.Root, Logs: s.PodLogsDir, Runtime: p.runtime, Began: time.Now(), Walk: s.VolumeStatsAggPeriod.Duration}
	j.joinWorkers(ctx)
	p.measures.Pods = p.workers.Pods
	if err := j.joinPressure(); err != nil {
		return nil, err
	}
	if p.pods, err = source.Pods(core, cfg.NodeName, p.workers, p.mirrors); err != nil {
		return nil, err
	}
	p.heartbeat = &node.Heartbeat{
		Node: cfg.NodeName, Duration: time.Duration(s.NodeLeaseDurationSeconds) * time.Second, Nodes: core.Nodes(), Logger: cfg.Logger,
		Leases: leases.Leases(corev1.NamespaceNodeLease),
	}
	p.reporter = node.New(node.Config{
		Name: cfg.NodeName, Addresses: cfg.HostIPs, Port: s.Port, Labels: cfg.Labels, Taints: cfg.Taints, Register: *s.RegisterNode,
		Machine: g.machine, Reserved: g.reserved, Client: core.Nodes(), Runtime: p.runtime, Recorder: p.recorder.events,
		Every: s.NodeStatusUpdateFrequency.Duration, Report: s.NodeStatusReportFrequency.Duration, Logger: cfg.Logger, Pressure: p.evictions.Pressure,
		MaxImages: *s.NodeStatusMaxImages, ProviderID: s.ProviderID,
	})
	return p, j.joinServers()
}
