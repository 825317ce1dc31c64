package workers

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// mayRestart says whether a container that ended with that exit code is started again: its own rules first (KEP-5307), then its own policy,
// then the pod's. Init containers of a pod that always restarts are restarted only after a failure.
func mayRestart(pod *corev1.Pod, m podinfo.Member, exitCode int32) bool {
	for _, rule := range m.Container.RestartPolicyRules {
		if rule.ExitCodes == nil || rule.Action != corev1.ContainerRestartRuleActionRestart {
			continue
		}
		listed := slices.Contains(rule.ExitCodes.Values, exitCode)
		if listed == (rule.ExitCodes.Operator == corev1.ContainerRestartRuleOnExitCodesOpIn) {
			return true
		}
	}
	policy := pod.Spec.RestartPolicy
	if m.Container.RestartPolicy != nil {
		policy = corev1.RestartPolicy(*m.Container.RestartPolicy)
	}
	switch {
	case m.Sort == podinfo.Ephemeral:
		return false
	case m.Sort == podinfo.Sidecar:
		return true
	case policy == corev1.RestartPolicyNever:
		return false
	case policy == corev1.RestartPolicyOnFailure, m.Sort == podinfo.Init:
		return exitCode != 0
	}
	return true
}
