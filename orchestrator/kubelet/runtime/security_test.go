package runtime

import (
	"testing"

	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Nobody asked this before a container was made (found by NODE-013).
func TestVerifyNonRoot(t *testing.T) {
	yes, no := true, false
	id := func(n int64) *int64 { return &n }
	for name, row := range map[string]struct {
		context corev1.SecurityContext
		uid     *int64
		user    string
		refused bool
	}{
		"nothing is asked":                   {corev1.SecurityContext{}, id(0), "", false},
		"root is allowed":                    {corev1.SecurityContext{RunAsNonRoot: &no}, id(0), "", false},
		"the image runs as root":             {corev1.SecurityContext{RunAsNonRoot: &yes}, id(0), "", true},
		"the image names nobody: it is root": {corev1.SecurityContext{RunAsNonRoot: &yes}, nil, "", true},
		"the image has a user by name":       {corev1.SecurityContext{RunAsNonRoot: &yes}, nil, "nobody", true},
		"the image has another user":         {corev1.SecurityContext{RunAsNonRoot: &yes}, id(7), "", false},
		"the pod says root":                  {corev1.SecurityContext{RunAsNonRoot: &yes, RunAsUser: id(0)}, id(7), "", true},
		"the pod says another user":          {corev1.SecurityContext{RunAsNonRoot: &yes, RunAsUser: id(7)}, id(0), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := VerifyNonRoot(&row.context, row.uid, row.user); (err != nil) != row.refused {
				t.Fatalf("got %v, refused should be %t", err, row.refused)
			}
		})
	}
}

// AppArmor's profile was merged and never sent: containers ran without.
func TestProfilesReachTheRuntime(t *testing.T) {
	local := "k8s-deny"
	of := func(kind corev1.AppArmorProfileType) *corev1.AppArmorProfile {
		return &corev1.AppArmorProfile{Type: kind, LocalhostProfile: &local}
	}
	seccompOf := func(kind corev1.SeccompProfileType) *corev1.SeccompProfile {
		return &corev1.SeccompProfile{Type: kind, LocalhostProfile: &local}
	}
	for name, row := range map[string]struct {
		pod, container    corev1.SecurityContext
		apparmor, seccomp *runtimeapi.SecurityProfile
	}{
		"none": {corev1.SecurityContext{}, corev1.SecurityContext{}, nil, &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_Unconfined}},
		"the pod's": {
			corev1.SecurityContext{AppArmorProfile: of(corev1.AppArmorProfileTypeRuntimeDefault), SeccompProfile: seccompOf(corev1.SeccompProfileTypeRuntimeDefault)}, corev1.SecurityContext{},
			&runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_RuntimeDefault}, &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_RuntimeDefault},
		},
		"the container's wins": {
			corev1.SecurityContext{AppArmorProfile: of(corev1.AppArmorProfileTypeRuntimeDefault), SeccompProfile: seccompOf(corev1.SeccompProfileTypeRuntimeDefault)},
			corev1.SecurityContext{AppArmorProfile: of(corev1.AppArmorProfileTypeLocalhost), SeccompProfile: seccompOf(corev1.SeccompProfileTypeLocalhost)},
			&runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_Localhost, LocalhostRef: local},
			&runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_Localhost, LocalhostRef: "/seccomp/" + local},
		},
		"unconfined": {
			corev1.SecurityContext{AppArmorProfile: of(corev1.AppArmorProfileTypeUnconfined), SeccompProfile: seccompOf(corev1.SeccompProfileTypeUnconfined)}, corev1.SecurityContext{},
			&runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_Unconfined}, &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_Unconfined},
		},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{Spec: corev1.PodSpec{
				SecurityContext: &corev1.PodSecurityContext{AppArmorProfile: row.pod.AppArmorProfile, SeccompProfile: row.pod.SeccompProfile},
				Containers:      []corev1.Container{{Name: "c", SecurityContext: &row.container}},
			}}
			sent, err := securityContext(ContainerRequest{Pod: pod, Container: &pod.Spec.Containers[0], SeccompRoot: "/seccomp"})
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(sent.Apparmor, row.apparmor) || !proto.Equal(sent.Seccomp, row.seccomp) {
				t.Errorf("AppArmor %v, seccomp %v; want %v, %v", sent.Apparmor, sent.Seccomp, row.apparmor, row.seccomp)
			}
		})
	}
}
