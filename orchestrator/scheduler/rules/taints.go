package rules

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

// taintToleration refuses nodes with NoSchedule or NoExecute taints that the pod does not tolerate, and likes nodes with few
// PreferNoSchedule taints that it does not tolerate.
func taintToleration() *Rule {
	return &Rule{
		Name: "TaintToleration", Wakes: NodeAdded | NodeTaints,
		Filter: func(p *state.Pod, _ *state.State) Filter {
			return func(n *state.Node) []Refusal {
				for i := range n.Object.Spec.Taints {
					taint := &n.Object.Spec.Taints[i]
					if taint.Effect != corev1.TaintEffectPreferNoSchedule && !tolerated(taint, p.Spec.Tolerations) {
						return refuse("node(s) had untolerated taint(s)", true)
					}
				}
				return nil
			}
		},
		Score: func(p *state.Pod, _ *state.State) *Score {
			return &Score{Weight: 3, Normalize: scaleToMax(true), Of: func(n *state.Node) int64 { return unpreferred(p, n) }}
		},
	}
}

func unpreferred(p *state.Pod, n *state.Node) (count int64) {
	for i := range n.Object.Spec.Taints {
		taint := &n.Object.Spec.Taints[i]
		if taint.Effect == corev1.TaintEffectPreferNoSchedule && !tolerated(taint, p.Spec.Tolerations) {
			count++
		}
	}
	return count
}

func tolerated(taint *corev1.Taint, tolerations []corev1.Toleration) bool {
	for i := range tolerations {
		if tolerations[i].ToleratesTaint(klog.Background(), taint, false) {
			return true
		}
	}
	return false
}
