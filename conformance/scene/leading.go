package scene

import (
	"context"
	"fmt"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/leadership"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// How often leaders are moved before it is given up. Who follows a frozen etcd leader is a matter of chance: of three members, one in two goes right,
// and one in 65,000 runs of 16 does not.
const (
	etcdMoves  = 16
	wholeMoves = 3
)

// LeadEverything makes one control plane lead everything - etcd, the controller-manager, the scheduler - and returns once that was witnessed. Where it
// cannot be brought about the spec is inconclusive.
func (s *Scene) LeadEverything(ctx context.Context, node string) {
	ginkgo.GinkgoHelper()
	Mark(verdict.Phase, "all leaders move to "+node, "")
	for range wholeMoves {
		s.moveEtcd(ctx, node)
		s.moveLeases(ctx, node)
		// Moving the Leases takes seconds in which etcd may have moved again, and the other way round.
		if err := s.leadsEverything(ctx, node); err == nil {
			Mark(verdict.Leader, leadership.Etcd, node)
			Record("leaders", "etcd, kube-controller-manager and kube-scheduler are led by %s", node)
			return
		}
	}
	Inconclusive("%s was not made to lead everything", node)
}

func (s *Scene) leadsEverything(ctx context.Context, node string) error {
	for _, component := range Elected {
		if holder, err := s.Holder(ctx, component); err != nil || leadership.NodeOf(holder) != node {
			return fmt.Errorf("%s is held by %q: %w", component, holder, err)
		}
	}
	if leader, err := s.leadership().EtcdLeader(ctx); err != nil || leader != node {
		return fmt.Errorf("etcd is led by %q: %w", leader, err)
	}
	return nil
}

// moveEtcd freezes the leading etcd for the length of an election until the wanted one leads. A killed one would stand for election again itself, often
// before the others: etcd shortens the first wait of a member that starts (--initial-election-tick-advance).
func (s *Scene) moveEtcd(ctx context.Context, node string) {
	for range etcdMoves {
		leader := s.WaitEtcdLeader(ctx)
		if leader == node {
			return
		}
		frozen := s.Break(ctx, fault.PauseComponent(s.Control(), leader, "etcd", ""))
		s.waitEtcdLeader(ctx, s.leadershipBut(leader))
		Heal(ctx, frozen)
	}
	Inconclusive("etcd on %s was not elected in %d elections", node, etcdMoves)
}

// moveLeases freezes the elected components of all other nodes until the wanted node holds both Leases.
func (s *Scene) moveLeases(ctx context.Context, node string) {
	var others []fault.Fault
	for _, component := range Elected {
		if _, at := s.WaitHolder(ctx, component); at == node {
			continue
		}
		for _, other := range s.NodesOf(cluster.ControlPlane, 1) {
			if other != node {
				others = append(others, fault.PauseComponent(s.Control(), other, component, ""))
			}
		}
	}
	if len(others) == 0 {
		return
	}
	frozen := s.Break(ctx, fault.Together(others...))
	s.awaitLeases(ctx, node)
	Heal(ctx, frozen)
}

// awaitLeases returns when the node holds both Leases, or could have had them: what holds them then is looked at afterwards.
func (s *Scene) awaitLeases(ctx context.Context, node string) {
	ctx, cancel := context.WithTimeout(ctx, budget.LeaseExpiry.Limit())
	defer cancel()
	tick := time.NewTicker(target.Poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		held := 0
		for _, component := range Elected {
			if holder, err := s.Holder(ctx, component); err == nil && leadership.NodeOf(holder) == node {
				held++
			}
		}
		if held == len(Elected) {
			return
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
