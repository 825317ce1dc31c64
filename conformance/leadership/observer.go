package leadership

import (
	"context"
	"errors"
	"slices"
	"time"

	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

const (
	// leaseEvery and etcdEvery are how often is looked. A look into a node may cost a process there, and a member counts its changes by itself.
	leaseEvery = 2 * time.Second
	etcdEvery  = 15 * time.Second
	lookTime   = 5 * time.Second
)

// Observer notes every change of leaders while Run runs. It is one goroutine's; what it has seen is read after Run.
type Observer struct {
	Reader
	Changes  []verdict.LeaderChange
	Observed []string

	leases map[string]*coordination.Lease
	// counts are the changes that members have counted, by node.
	counts map[string]int
}

// Run looks until ctx ends. What cannot be seen, as when the API is down, is seen later.
func (o *Observer) Run(ctx context.Context) {
	o.leases, o.counts = map[string]*coordination.Lease{}, map[string]int{}
	leases, etcd := time.NewTicker(leaseEvery), time.NewTicker(etcdEvery)
	defer leases.Stop()
	defer etcd.Stop()
	o.lookAtLeases(ctx)
	seen := o.lookAtEtcd(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-leases.C:
			o.lookAtLeases(ctx)
		case <-etcd.C:
			if seen {
				seen = o.lookAtEtcd(ctx)
			}
		}
	}
}

func (o *Observer) note(subject string) {
	if !slices.Contains(o.Observed, subject) {
		o.Observed = append(o.Observed, subject)
	}
}

func (o *Observer) lookAtLeases(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	for _, name := range Leases {
		lease, err := o.Client.CoordinationV1().Leases(metav1.NamespaceSystem).Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			o.take(lease, time.Now())
		}
	}
}

// take compares a Lease with what it was. One that nobody holds is between two leaders: who is next tells of the change.
func (o *Observer) take(lease *coordination.Lease, now time.Time) {
	o.note(lease.Name)
	if HolderOf(lease) == "" {
		return
	}
	before := o.leases[lease.Name]
	o.leases[lease.Name] = lease
	if before != nil && (HolderOf(before) != HolderOf(lease) || transitions(before) != transitions(lease)) {
		o.Changes = append(o.Changes, verdict.LeaderChange{At: now, Subject: lease.Name, From: HolderOf(before), To: HolderOf(lease)})
	}
}

// HolderOf is who holds a Lease; empty when nobody does.
func HolderOf(lease *coordination.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

func transitions(lease *coordination.Lease) int32 {
	if lease.Spec.LeaseTransitions == nil {
		return 0
	}
	return *lease.Spec.LeaseTransitions
}

// lookAtEtcd asks one member, the first that answers; more is false when there is no way to ask.
func (o *Observer) lookAtEtcd(ctx context.Context) (more bool) {
	if o.Control == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	for _, n := range o.Nodes {
		if n.Role != cluster.ControlPlane {
			continue
		}
		m, err := o.member(ctx, n.Name)
		if errors.Is(err, cluster.ErrUnsupported) {
			return false
		}
		if err == nil {
			o.takeMember(n.Name, m, time.Now())
			return true
		}
	}
	return true
}

// takeMember compares a member's count with what it was; one that was started anew begins to count anew.
func (o *Observer) takeMember(node string, m Member, now time.Time) {
	o.note(Etcd)
	before, known := o.counts[node]
	o.counts[node] = m.Changes
	if known && m.Changes > before {
		o.Changes = append(o.Changes, verdict.LeaderChange{At: now, Subject: Etcd})
	}
}
