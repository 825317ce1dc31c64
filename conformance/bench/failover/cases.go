package failover

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/leadership"
)

// victim is a node, or one component of it.
type victim struct{ node, component string }

type victims []victim

func (v victims) names() (all []string) {
	for _, one := range v {
		name := one.node
		if one.component != "" {
			name = one.component + " on " + one.node
		}
		all = append(all, name)
	}
	return all
}

func (v victims) has(node string) bool {
	for _, one := range v {
		if one.node == node {
			return true
		}
	}
	return false
}

// faultCase is one way to break a control plane.
type faultCase struct {
	name string
	// writes bounds the longest time without a write; 0 is no goal.
	writes time.Duration
	choose func(context.Context, *side) (victims, error)
	inject func(context.Context, *side, victims) error
	heal   func(context.Context, *side, victims) error
}

// placedGoal bounds the time until a new Deployment's pod has a node, in every case.
const placedGoal = 3 * time.Second

func cases() []faultCase {
	kill := func(ctx context.Context, s *side, v victims) error { return s.control.Kill(ctx, v[0].node) }
	start := func(ctx context.Context, s *side, v victims) error {
		state, err := s.control.State(ctx, v[0].node)
		if err != nil || state.Running {
			return err
		}
		return s.control.Start(ctx, v[0].node)
	}
	return []faultCase{
		{name: "lease holder's node killed", writes: 500 * time.Millisecond, choose: leaseHolder, inject: kill, heal: start},
		{
			name: "lease holder's node paused", writes: time.Second, choose: leaseHolder,
			inject: func(ctx context.Context, s *side, v victims) error { return s.control.Pause(ctx, v[0].node) },
			heal: func(ctx context.Context, s *side, v victims) error {
				state, err := s.control.State(ctx, v[0].node)
				if err != nil || !state.Paused {
					return err
				}
				return s.control.Unpause(ctx, v[0].node)
			},
		},
		{name: "etcd leader's node killed", writes: 1200 * time.Millisecond, choose: etcdLeader, inject: kill, heal: start},
		{
			name: "both leading processes killed", choose: leadingProcesses, inject: killProcesses,
			heal: func(context.Context, *side, victims) error { return nil },
		},
	}
}

// moves is how often a Lease is moved away from the node that leads etcd before that is given up.
const moves = 6

// leaseHolder is the node of a leading controller-manager that does not lead etcd too: what the loss of etcd's leader costs is a case of its own.
// Where one node leads both, the leading process is killed until another node's holds the Lease.
func leaseHolder(ctx context.Context, s *side) (victims, error) {
	const component = "kube-controller-manager"
	for range moves {
		holder, err := s.leaders.Holder(ctx, component)
		if err != nil {
			return nil, err
		}
		leader, err := s.leaders.EtcdLeader(ctx)
		if errors.Is(err, cluster.ErrUnsupported) {
			return victims{{node: leadership.NodeOf(holder)}}, nil
		}
		if err != nil {
			return nil, err
		}
		if node := leadership.NodeOf(holder); node != leader {
			return victims{{node: node}}, nil
		}
		if _, err := s.control.Signal(ctx, leader, component, int(syscall.SIGKILL)); err != nil {
			return nil, err
		}
		if err := s.succeeded(ctx, component, holder); err != nil {
			return nil, err
		}
		if err := s.well(ctx); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("the node that leads etcd took the Lease of %s back %d times", component, moves)
}

// succeeded returns once somebody else holds a Lease.
func (s *side) succeeded(ctx context.Context, component, before string) error {
	ctx, cancel := context.WithTimeout(ctx, servedAgain)
	defer cancel()
	return until(ctx, func(ctx context.Context) (bool, error) {
		holder, err := s.leaders.Holder(ctx, component)
		return err == nil && holder != "" && holder != before, err
	})
}

func etcdLeader(ctx context.Context, s *side) (victims, error) {
	node, err := s.leaders.EtcdLeader(ctx)
	return victims{{node: node}}, err
}

func leadingProcesses(ctx context.Context, s *side) (all victims, err error) {
	for _, component := range leadership.Leases {
		holder, err := s.leaders.Holder(ctx, component)
		if err != nil {
			return nil, err
		}
		all = append(all, victim{node: leadership.NodeOf(holder), component: component})
	}
	return all, nil
}

func killProcesses(ctx context.Context, s *side, v victims) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, one := range v {
		all.Go(func() error {
			_, err := s.control.Signal(ctx, one.node, one.component, int(syscall.SIGKILL))
			return err
		})
	}
	return all.Wait()
}
