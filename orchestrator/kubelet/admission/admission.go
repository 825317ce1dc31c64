// Package admission refuses pods that ask for what this node does not do, with the reason in the pod's status: running them without it would be
// silent, and less safe than they asked for.
//
// Pure. The kubelet asks it before allocation; whether there is room is not its matter.
package admission

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/status"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/sysctls"
)

// Node is what this node can do.
type Node struct {
	Sysctls sysctls.Policy
	// AppArmor says that the kernel confines processes by AppArmor's profiles.
	AppArmor bool
}

// Check returns why a pod is refused, nil when it is not.
func (n Node) Check(pod *corev1.Pod) *status.Verdict {
	if err := n.Sysctls.Check(pod); err != nil {
		return &status.Verdict{Reason: "SysctlForbidden", Message: "forbidden sysctl: " + err.Error()}
	}
	if pod.Spec.HostUsers != nil && !*pod.Spec.HostUsers {
		return &status.Verdict{Reason: "UserNamespacesNotSupported", Message: "Pod was rejected: can't set `spec.hostUsers: false`, this node gives no pod a user namespace of its own"}
	}
	if !n.AppArmor && confined(pod) {
		return &status.Verdict{Reason: "AppArmor", Message: "Cannot enforce AppArmor: AppArmor is not enabled on the host"}
	}
	return nil
}

// confined is true when a profile is asked for that must not be left out.
func confined(pod *corev1.Pod) bool {
	wants := func(p *corev1.AppArmorProfile) bool {
		return p != nil && p.Type != corev1.AppArmorProfileTypeUnconfined
	}
	if sc := pod.Spec.SecurityContext; sc != nil && wants(sc.AppArmorProfile) {
		return true
	}
	for _, m := range podinfo.Members(pod) {
		if sc := m.Container.SecurityContext; sc != nil && wants(sc.AppArmorProfile) {
			return true
		}
	}
	return false
}
