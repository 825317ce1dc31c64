// Package controllers is kube-controller-manager: it reconciles, each controller one kind of thing, once it leads.
//
// all.go is the list. Each controller has a folder: controller.go observes and applies; plan.go, where there is something to weigh, decides and is
// pure. They see the cluster through one set of informers, which a standby keeps synced too, and write each as its own service account. They reach
// the apiserver through client-go only, so they work under any.
package controllers

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/component/leader"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/owned"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// Config of a Manager.
type Config struct {
	Client   *rest.Config
	Settings world.Settings
	// Names as in --controllers: "*" is every controller that is on by default, "-foo" turns one off.
	Names []string
	// Separately: each controller writes as a service account of its own.
	Separately bool
	// Election is nil for a manager that leads alone.
	Election *leader.Config
	Logger   *slog.Logger
}

// Manager runs controllers.
type Manager struct{ cfg Config }

// New returns a manager; Run starts it.
func New(cfg Config) *Manager {
	if len(cfg.Names) == 0 {
		cfg.Names = []string{"*"}
	}
	return &Manager{cfg: cfg}
}

// Run keeps the informers synced and, whenever it leads, runs the controllers, until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	for _, name := range m.cfg.Names {
		if !known(strings.TrimPrefix(name, "-")) {
			return fmt.Errorf("--controllers: %q is not in the list of known controllers", name)
		}
	}
	shared, err := world.NewShared(m.cfg.Client, m.cfg.Settings, m.cfg.Separately, m.cfg.Logger)
	if err != nil {
		return err
	}
	defer shared.Close()
	if err := prime(shared); err != nil {
		return err
	}
	shared.Informers().StartWithContext(ctx)
	defer shared.Informers().Shutdown()
	if m.cfg.Election == nil {
		return m.lead(ctx, shared)
	}
	return m.stand(ctx, shared)
}

// stand runs the controllers whenever this process is elected. While another leads, it has all at hand that they will need.
func (m *Manager) stand(ctx context.Context, shared *world.Shared) error {
	election := *m.cfg.Election
	election.Leases, election.Logger = shared.Client().CoordinationV1(), m.cfg.Logger
	standby := make(chan struct{})
	begin := sync.OnceFunc(func() { close(standby) })
	election.OnNewLeader = func(identity string) {
		if identity != election.Identity {
			begin()
		}
	}
	both, ctx := errgroup.WithContext(ctx)
	keeping, stop := context.WithCancel(ctx)
	both.Go(func() error {
		select {
		case <-keeping.Done():
			return nil
		case <-standby:
		}
		if err := m.each(shared, func(controller, *world.World) {}); err != nil {
			return err
		}
		shared.KeepTokens(keeping)
		return nil
	})
	both.Go(func() error {
		defer stop()
		return leader.Run(ctx, election, func(ctx context.Context) error { return m.lead(ctx, shared) })
	})
	return both.Wait()
}

// each calls with every enabled controller and its World.
func (m *Manager) each(shared *world.Shared, call func(controller, *world.World)) error {
	for _, c := range all {
		if !enabled(c, m.cfg.Names) {
			continue
		}
		w, err := shared.For(c.account)
		if err != nil {
			return err
		}
		call(c, w)
	}
	return nil
}

// elsewhere are controllers of stock's list whose names are accepted although nothing here runs under them yet.
var elsewhere = []string{"bootstrapsigner", "bootstrap-signer-controller", "tokencleaner", "token-cleaner-controller"}

func known(name string) bool {
	return name == "*" || slices.Contains(elsewhere, name) ||
		slices.ContainsFunc(all, func(c controller) bool { return c.name == name || c.alias == name })
}

// enabled follows --controllers: a name decides before "*".
func enabled(c controller, names []string) bool {
	for _, n := range names {
		switch n {
		case c.name, c.alias:
			return true
		case "-" + c.name, "-" + c.alias:
			return false
		}
	}
	return slices.Contains(names, "*") && !c.off
}

// lead runs every enabled controller until ctx ends.
func (m *Manager) lead(ctx context.Context, shared *world.Shared) error {
	group, ctx := errgroup.WithContext(ctx)
	err := m.each(shared, func(c controller, w *world.World) {
		group.Go(func() error {
			if err := c.run(ctx, w); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return group.Wait()
}

// prime makes the informers that the controllers share, with their indexes, so that a standby keeps them synced.
func prime(shared *world.Shared) error {
	f := shared.Informers()
	for _, informer := range []cache.SharedIndexInformer{
		f.Core().V1().Pods().Informer(), f.Apps().V1().ReplicaSets().Informer(), f.Apps().V1().ControllerRevisions().Informer(), f.Batch().V1().Jobs().Informer(),
	} {
		if err := informer.AddIndexers(owned.Indexers()); err != nil {
			return fmt.Errorf("index: %w", err)
		}
	}
	f.Core().V1().Namespaces().Informer()
	f.Core().V1().ServiceAccounts().Informer()
	f.Core().V1().ConfigMaps().Informer()
	f.Core().V1().Nodes().Informer()
	f.Core().V1().ResourceQuotas().Informer()
	f.Core().V1().PersistentVolumeClaims().Informer()
	f.Core().V1().PersistentVolumes().Informer()
	f.Core().V1().Services().Informer()
	f.Core().V1().Endpoints().Informer()
	f.Core().V1().ReplicationControllers().Informer()
	f.Discovery().V1().EndpointSlices().Informer()
	f.Coordination().V1().Leases().Informer()
	f.Apps().V1().Deployments().Informer()
	f.Batch().V1().CronJobs().Informer()
	f.Apps().V1().DaemonSets().Informer()
	f.Apps().V1().StatefulSets().Informer()
	f.Rbac().V1().ClusterRoles().Informer()
	f.Policy().V1().PodDisruptionBudgets().Informer()
	f.Networking().V1().ServiceCIDRs().Informer()
	f.Networking().V1().IPAddresses().Informer()
	return nil
}
