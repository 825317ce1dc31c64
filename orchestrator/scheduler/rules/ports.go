package rules

import "github.com/plumb-k8s/plumb/orchestrator/scheduler/state"

// nodePorts keeps two pods from taking the same port of one host.
func nodePorts() *Rule {
	return &Rule{
		Name: "NodePorts", Wakes: NodeAdded | PodRemoved,
		Filter: func(p *state.Pod, _ *state.State) Filter {
			if len(p.Ports) == 0 {
				return nil
			}
			return func(n *state.Node) []Refusal {
				for _, placed := range n.Pods {
					if conflict(p.Ports, placed.Ports) {
						return refuse("node(s) didn't have free ports for the requested pod ports", false)
					}
				}
				return nil
			}
		},
	}
}

func conflict(a, b []state.Port) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Conflicts(y) {
				return true
			}
		}
	}
	return false
}
