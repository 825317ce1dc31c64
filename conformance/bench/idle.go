package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// groups are whose memory and processor time are summed. Kubelet and proxy of a control plane do not count: its pods differ from cluster to cluster.
var groups = []struct {
	name       string
	components []string
	workers    bool
}{
	{"etcd + apiserver + controllers + scheduler", []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}, false},
	{"kubelet + proxy", []string{"kubelet", "kube-proxy"}, true},
}

// resting is for how long the processor time of a cluster at rest is taken.
const resting = 30 * time.Second

// idle runs a workload, lets the cluster rest, and sums Pss and processor time: of the control planes for the first group, of a worker on average
// for the second. What a cluster at rest computes grows with what it does in vain: a component that asks again and again for what it does not get.
func idle(ctx context.Context, cfg Config, s *side) (sample, error) {
	if err := s.work(ctx, cfg); err != nil {
		return nil, err
	}
	if err := pause(ctx, cfg.Settle); err != nil {
		return nil, err
	}
	members, err := s.members()
	if err != nil {
		return nil, err
	}
	everyone := slices.Concat(members...)
	before, err := processors(everyone)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, resting); err != nil {
		return nil, err
	}
	after, err := processors(everyone)
	if err != nil {
		return nil, err
	}
	used := func(p process) (float64, error) {
		return float64((after[p.pid] - before[p.pid]).Milliseconds()) / resting.Seconds(), nil
	}
	got := sample{}
	for i, g := range groups {
		nodes := float64(nodesOf(members[i]))
		for _, what := range []struct {
			name, unit string
			goal       goal
			order      int
			of         func(process) (float64, error)
		}{
			{"idle memory of ", "MiB per node", goal{atMost: 0.5}, 10*i + 1, process.pss},
			{"idle processor time of ", "ms/s per node", goal{}, 10*i + 6, used},
		} {
			for _, p := range members[i] {
				value, err := what.of(p)
				if err != nil {
					return nil, err
				}
				part := what.order + 1 + slices.Index(g.components, p.component)
				got[measure{name: what.name + g.name, unit: what.unit, goal: what.goal, order: what.order}] += value / nodes
				got[measure{name: "  " + p.component, unit: what.unit, order: part}] += value / nodes
			}
		}
	}
	return got, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// members lists the processes of each group; none is empty.
func (s *side) members() ([][]process, error) {
	var all [][]process
	for _, g := range groups {
		found, err := s.processes(g.components...)
		if err != nil {
			return nil, err
		}
		if g.workers {
			found = slices.DeleteFunc(found, func(p process) bool {
				return slices.ContainsFunc(s.nodes, func(n cluster.Node) bool { return n.Name == p.node && n.Role == cluster.ControlPlane })
			})
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("no node runs %v", g.components)
		}
		all = append(all, found)
	}
	return all, nil
}

// nodesOf is on how many nodes processes are.
func nodesOf(all []process) int {
	on := map[string]bool{}
	for _, p := range all {
		on[p.node] = true
	}
	return len(on)
}
