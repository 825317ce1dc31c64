package admission

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/sysctls"
)

func TestWhatThisNodeDoesNotDoIsRefused(t *testing.T) {
	policy, err := sysctls.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	profile := func(kind corev1.AppArmorProfileType) *corev1.AppArmorProfile {
		return &corev1.AppArmorProfile{Type: kind}
	}
	pod := func(change func(*corev1.PodSpec)) *corev1.Pod {
		p := &corev1.Pod{Spec: corev1.PodSpec{SecurityContext: &corev1.PodSecurityContext{}, Containers: []corev1.Container{{Name: "c", SecurityContext: &corev1.SecurityContext{}}}}}
		change(&p.Spec)
		return p
	}
	for name, row := range map[string]struct {
		appArmor bool
		pod      *corev1.Pod
		reason   string
	}{
		"nothing special":      {false, &corev1.Pod{}, ""},
		"the node's users":     {false, pod(func(s *corev1.PodSpec) { s.HostUsers = &yes }), ""},
		"users of its own":     {false, pod(func(s *corev1.PodSpec) { s.HostUsers = &no }), "UserNamespacesNotSupported"},
		"a forbidden setting":  {false, pod(func(s *corev1.PodSpec) { s.SecurityContext.Sysctls = []corev1.Sysctl{{Name: "vm.swappiness"}} }), "SysctlForbidden"},
		"a profile":            {true, pod(func(s *corev1.PodSpec) { s.SecurityContext.AppArmorProfile = profile("RuntimeDefault") }), ""},
		"a profile, no kernel": {false, pod(func(s *corev1.PodSpec) { s.SecurityContext.AppArmorProfile = profile("RuntimeDefault") }), "AppArmor"},
		"a container's":        {false, pod(func(s *corev1.PodSpec) { s.Containers[0].SecurityContext.AppArmorProfile = profile("Localhost") }), "AppArmor"},
		"unconfined":           {false, pod(func(s *corev1.PodSpec) { s.SecurityContext.AppArmorProfile = profile("Unconfined") }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := Node{Sysctls: policy, AppArmor: row.appArmor}.Check(row.pod)
			if (v == nil) != (row.reason == "") || (v != nil && (v.Reason != row.reason || v.Message == "")) {
				t.Errorf("%+v, want %q", v, row.reason)
			}
		})
	}
}
