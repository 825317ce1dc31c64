package bench

import (
	"context"
	"fmt"
	"time"
)

// groups are whose memory is summed, and the flags of the goal.
var groups = []struct {
	name       string
	components []string
}{
	{"etcd + apiserver + controllers + scheduler", []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}},
	{"kubelet + proxy", []string{"kubelet", "kube-proxy"}},
}

// memory runs a workload, lets the cluster rest, and sums Pss: of the control planes for the first group, of a worker on average for the second.
func memory(ctx context.Context, cfg Config, s *side) (sample, error) {
	if err := s.work(ctx, cfg); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(cfg.Settle):
	}
	got := sample{}
	for i, g := range groups {
		sum, nodes, err := s.sum(got, i, g.components)
		if err != nil {
			return nil, err
		}
		got[measure{name: "idle memory of " + g.name, unit: "MiB per node", goal: goal{atMost: 0.5}, order: 10 * (i + 1)}] = sum / float64(nodes)
	}
	return got, nil
}

// sum of a group's memory over the nodes on which all of the group run, and each component's part of it.
func (s *side) sum(got sample, group int, components []string) (sum float64, nodes int, err error) {
	all, err := s.processes(components...)
	if err != nil {
		return 0, 0, err
	}
	there := map[string]int{}
	for _, p := range all {
		there[p.node]++
	}
	for _, n := range s.nodes {
		// Kubelet and proxy of a control plane would be counted too: its pods differ from cluster to cluster.
		if group == 1 && n.Role == "control-plane" {
			delete(there, n.Name)
		}
	}
	for _, p := range all {
		if there[p.node] == 0 {
			continue
		}
		pss, err := p.pss()
		if err != nil {
			return 0, 0, err
		}
		sum += pss
		for i, c := range components {
			if c == p.component {
				got[measure{name: "  " + c, unit: "MiB per node", order: 10*(group+1) + i + 1}] += pss / float64(len(there))
			}
		}
	}
	if len(there) == 0 {
		return 0, 0, fmt.Errorf("no node runs %v", components)
	}
	return sum, len(there), nil
}
