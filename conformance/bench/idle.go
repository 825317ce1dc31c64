package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// groups are whose memory and processor time are summed.
var groups = []struct {
	name       string
	components []string
}{
	{"etcd + apiserver + controllers + scheduler", []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}},
	{"kubelet + proxy", []string{"kubelet", "kube-proxy"}},
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
	used, err := s.used(ctx)
	if err != nil {
		return nil, err
	}
	got := sample{}
	for i, g := range groups {
		all, nodes, err := s.group(i)
		if err != nil {
			return nil, err
		}
		for _, what := range []struct {
			name, unit string
			goal       goal
			order      int
			of         func(process) (float64, error)
		}{
			{"idle memory of ", "MiB per node", goal{atMost: 0.5}, 10*i + 1, process.pss},
			{"idle processor time of ", "ms/s per node", goal{}, 10*i + 6, func(p process) (float64, error) { return used[p.pid], nil }},
		} {
			for _, p := range all {
				value, err := what.of(p)
				if err != nil {
					return nil, err
				}
				part := what.order + 1 + slices.Index(g.components, p.component)
				got[measure{name: what.name + g.name, unit: what.unit, goal: what.goal, order: what.order}] += value / float64(nodes)
				got[measure{name: "  " + p.component, unit: what.unit, order: part}] += value / float64(nodes)
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

// used is how many milliseconds per second each process of the groups computes, by its id.
func (s *side) used(ctx context.Context) (map[int]float64, error) {
	var all []process
	for i := range groups {
		of, _, err := s.group(i)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	used := map[int]float64{}
	began := time.Now()
	for _, sign := range []float64{-1, 1} {
		for _, p := range all {
			spent, err := p.processor()
			if err != nil {
				return nil, err
			}
			used[p.pid] += sign * float64(spent.Milliseconds()) / resting.Seconds()
		}
		if err := pause(ctx, time.Until(began.Add(resting))); err != nil {
			return nil, err
		}
	}
	return used, nil
}

// group lists the processes of a group, and on how many nodes they are. Kubelet and proxy of a control plane do not count: its pods differ from
// cluster to cluster.
func (s *side) group(i int) (all []process, nodes int, err error) {
	all, err = s.processes(groups[i].components...)
	if err != nil {
		return nil, 0, err
	}
	if i == 1 {
		all = slices.DeleteFunc(all, func(p process) bool {
			return slices.ContainsFunc(s.nodes, func(n cluster.Node) bool { return n.Name == p.node && n.Role == cluster.ControlPlane })
		})
	}
	there := map[string]bool{}
	for _, p := range all {
		there[p.node] = true
	}
	if len(there) == 0 {
		return nil, 0, fmt.Errorf("no node runs %v", groups[i].components)
	}
	return all, len(there), nil
}
