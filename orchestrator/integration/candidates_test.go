package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"

	"github.com/plumb-k8s/plumb/orchestrator/component/leader"
	"github.com/plumb-k8s/plumb/orchestrator/controllers"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
	"github.com/plumb-k8s/plumb/orchestrator/scheduler"
)

// The Leases that are fought for.
const (
	managerLease   = "kube-controller-manager"
	schedulerLease = "kube-scheduler"
)

// election is slow enough for a busy machine under the race detector, and quick enough for a test.
func election(lease, identity string) *leader.Config {
	return &leader.Config{
		Namespace: meta.NamespaceSystem, Name: lease, Identity: identity,
		LeaseDuration: 4 * time.Second, RenewDeadline: 3 * time.Second, RetryPeriod: 500 * time.Millisecond,
	}
}

// candidates are the replicas of one elected component, by identity.
type candidates struct {
	lease string
	alive map[string]*running
	// born counts all that were ever started.
	born  int
	start func(identity string) *running
}

func (c *candidates) add() {
	c.born++
	identity := fmt.Sprintf("%s-%d", c.lease, c.born)
	c.alive[identity] = c.start(identity)
}

func (c *candidates) stop(t *testing.T) {
	t.Helper()
	var all []*running
	for _, r := range c.alive {
		all = append(all, r)
	}
	end(t, all...)
}

// newManagers starts n controller-managers.
func newManagers(ctx context.Context, t *testing.T, p *plane, n int) *candidates {
	c := &candidates{lease: managerLease, alive: map[string]*running{}}
	c.start = func(identity string) *running {
		m := controllers.New(controllers.Config{
			Client: p.config(t, planeName(0), "controller-manager.conf", p.front), Settings: settings(p.read(t, planeName(0), "ca.crt")),
			Separately: true, Election: election(managerLease, identity), Logger: logger(identity),
		})
		return start(ctx, identity, m.Run)
	}
	for range n {
		c.add()
	}
	return c
}

func settings(rootCA []byte) world.Settings {
	return world.Settings{
		AllocateNodeCIDRs: true, ClusterCIDR: podSubnet, ServiceCIDR: serviceRange, NodeCIDRMaskIPv4: 24, NodeCIDRMaskIPv6: 64, RootCA: rootCA,
		NodeMonitorPeriod: 5 * time.Second, NodeMonitorGrace: 50 * time.Second, NodeStartupGrace: time.Minute, EvictionRate: 0.1,
		SecondaryEvictionRate: 0.01, LargeCluster: 50, UnhealthyZone: 0.55, TerminatedPods: 12500,
	}
}

// newSchedulers starts n schedulers.
func newSchedulers(ctx context.Context, t *testing.T, p *plane, n int) *candidates {
	c := &candidates{lease: schedulerLease, alive: map[string]*running{}}
	c.start = func(identity string) *running {
		client, err := kubernetes.NewForConfig(p.config(t, planeName(0), "scheduler.conf", p.front))
		if err != nil {
			t.Fatal(err)
		}
		s := scheduler.New(scheduler.Config{Client: client, Election: election(schedulerLease, identity), Logger: logger(identity)})
		return start(ctx, identity, s.Run)
	}
	for range n {
		c.add()
	}
	return c
}

// leader waits until somebody leads who is not the one named.
func (c *candidates) leader(ctx context.Context, t *testing.T, client kubernetes.Interface, not string) string {
	t.Helper()
	holder := ""
	eventually(ctx, t, fmt.Sprintf("a leader of %s other than %q", c.lease, not), func() (bool, string) {
		lease, err := client.CoordinationV1().Leases(meta.NamespaceSystem).Get(ctx, c.lease, meta.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		if lease.Spec.HolderIdentity != nil {
			holder = *lease.Spec.HolderIdentity
		}
		return c.alive[holder] != nil && holder != not, "held by " + holder
	})
	return holder
}

// loseByEnd ends the process that leads and starts another; a standby takes over.
func (c *candidates) loseByEnd(ctx context.Context, t *testing.T, client kubernetes.Interface) {
	t.Helper()
	old := c.leader(ctx, t, client, "")
	end(t, c.alive[old])
	delete(c.alive, old)
	c.add()
	t.Logf("%s: %s ended, %s leads", c.lease, old, c.leader(ctx, t, client, old))
}

// loseByTheft takes the Lease away from a leader that goes on living: it must step down in place, and may stand again.
func (c *candidates) loseByTheft(ctx context.Context, t *testing.T, client kubernetes.Interface) {
	t.Helper()
	old := c.leader(ctx, t, client, "")
	leases := client.CoordinationV1().Leases(meta.NamespaceSystem)
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		lease, err := leases.Get(ctx, c.lease, meta.GetOptions{})
		if err != nil {
			return err
		}
		_, err = leases.Update(ctx, stolen(lease), meta.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Fatalf("steal lease %s: %v", c.lease, err)
	}
	t.Logf("%s: stolen from %s, %s leads", c.lease, old, c.leader(ctx, t, client, ""))
}

// stolen is a Lease in the hands of a holder that never renews it.
func stolen(lease *coordination.Lease) *coordination.Lease {
	thief, now := "thief", meta.NowMicro()
	lease.Spec.HolderIdentity, lease.Spec.RenewTime, lease.Spec.AcquireTime = &thief, &now, &now
	return lease
}
