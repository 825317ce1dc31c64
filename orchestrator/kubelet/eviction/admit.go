package eviction

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/status"
)

// Admit refuses a pod that a node under pressure cannot take, nil lets it in. Where memory alone is short, pods that asked for some are let
// in, and those that tolerate it.
func Admit(pod *corev1.Pod, pressure map[corev1.NodeConditionType]bool) *status.Verdict {
	var conditions []corev1.NodeConditionType
	for c := range pressure {
		conditions = append(conditions, c)
	}
	if len(conditions) == 0 || Critical(pod) {
		return nil
	}
	slices.Sort(conditions)
	if len(conditions) == 1 && conditions[0] == corev1.NodeMemoryPressure && (podinfo.QOS(pod) != corev1.PodQOSBestEffort || tolerates(pod)) {
		return nil
	}
	return &status.Verdict{Reason: Reason, Message: fmt.Sprintf("The node had condition: %v. ", conditions)}
}

func tolerates(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.Tolerations, func(t corev1.Toleration) bool {
		return (t.Key == corev1.TaintNodeMemoryPressure || (t.Key == "" && t.Operator == corev1.TolerationOpExists)) &&
			(t.Effect == "" || t.Effect == corev1.TaintEffectNoSchedule)
	})
}
