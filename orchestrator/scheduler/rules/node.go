package rules

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

// nodeUnschedulable keeps pods off cordoned nodes, unless they tolerate the taint that stands for cordoning.
func nodeUnschedulable() *Rule {
	taint := corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}
	return &Rule{
		Name: "NodeUnschedulable", Wakes: NodeAdded | NodeTaints,
		Filter: func(p *state.Pod, _ *state.State) Filter {
			if tolerated(&taint, p.Spec.Tolerations) {
				return nil
			}
			return func(n *state.Node) []Refusal {
				if n.Object.Spec.Unschedulable {
					return refuse("node(s) were unschedulable", true)
				}
				return nil
			}
		},
	}
}

// nodeName obeys spec.nodeName of a pod that names its node itself.
func nodeName() *Rule {
	return &Rule{
		Name: "NodeName", Wakes: NodeAdded,
		Filter: func(p *state.Pod, _ *state.State) Filter {
			if p.Spec.NodeName == "" {
				return nil
			}
			return func(n *state.Node) []Refusal {
				if n.Name != p.Spec.NodeName {
					return refuse("node(s) didn't match the requested node name", true)
				}
				return nil
			}
		},
	}
}

// nodeAffinity obeys nodeSelector and required node affinity, and rates by the preferred one.
func nodeAffinity() *Rule {
	return &Rule{
		Name: "NodeAffinity", Wakes: NodeAdded | NodeLabels,
		Filter: func(p *state.Pod, _ *state.State) Filter {
			if len(p.Spec.NodeSelector) == 0 && (p.Spec.Affinity == nil || p.Spec.Affinity.NodeAffinity == nil) {
				return nil
			}
			required := nodeaffinity.GetRequiredNodeAffinity(p.Pod)
			return func(n *state.Node) []Refusal {
				// A term that does not parse matches nothing.
				if match, err := required.Match(n.Object); err != nil || !match {
					return refuse("node(s) didn't match Pod's node affinity/selector", true)
				}
				return nil
			}
		},
		Score: preferredNodes,
	}
}

func preferredNodes(p *state.Pod, _ *state.State) *Score {
	if p.Spec.Affinity == nil || p.Spec.Affinity.NodeAffinity == nil {
		return nil
	}
	terms := p.Spec.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution
	preferred, err := nodeaffinity.NewPreferredSchedulingTerms(terms)
	if err != nil || len(terms) == 0 {
		return nil
	}
	return &Score{Weight: 2, Of: func(n *state.Node) int64 { return preferred.Score(n.Object) }, Normalize: scaleToMax(false)}
}
