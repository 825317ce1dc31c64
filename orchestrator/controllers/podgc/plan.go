package podgc

import (
	"slices"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
)

// quarantine is how long a node must be missing before its pods are taken for orphans.
const quarantine = 40 * time.Second

// verdict on one pod.
type verdict struct {
	pod     *core.Pod
	why     string
	message string
}

// sweep picks the pods to delete. missing says since when a node is known to be gone.
func sweep(all []*core.Pod, nodes map[string]*core.Node, missing map[string]time.Time, threshold int, now time.Time) []verdict {
	var out []verdict
	var ended []*core.Pod
	for _, p := range all {
		node := nodes[p.Spec.NodeName]
		switch {
		case p.Spec.NodeName == "" && p.DeletionTimestamp != nil:
			out = append(out, verdict{pod: p, why: "terminating without a node"})
		case p.Spec.NodeName != "" && node == nil && !missing[p.Spec.NodeName].IsZero() && now.Sub(missing[p.Spec.NodeName]) >= quarantine:
			out = append(out, verdict{pod: p, why: "its node is gone", message: "PodGC: node no longer exists"})
		case node != nil && p.DeletionTimestamp != nil && outOfService(node):
			out = append(out, verdict{pod: p, why: "its node is out of service"})
		case pods.Ended(p) && p.DeletionTimestamp == nil:
			ended = append(ended, p)
		}
	}
	if threshold > 0 && len(ended) > threshold {
		slices.SortFunc(ended, func(a, b *core.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
		for _, p := range ended[:len(ended)-threshold] {
			out = append(out, verdict{pod: p, why: "too many pods have ended"})
		}
	}
	return out
}

// outOfService is true for an unready node that an administrator declared dead.
func outOfService(node *core.Node) bool {
	ready := slices.ContainsFunc(node.Status.Conditions, func(c core.NodeCondition) bool { return c.Type == core.NodeReady && c.Status == core.ConditionTrue })
	return !ready && slices.ContainsFunc(node.Spec.Taints, func(t core.Taint) bool { return t.Key == core.TaintNodeOutOfService })
}
