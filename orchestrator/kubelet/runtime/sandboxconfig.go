package runtime

import (
	"maps"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// SandboxRequest is what a sandbox is made of, besides the pod itself.
type SandboxRequest struct {
	Pod          *corev1.Pod
	Attempt      uint32
	Hostname     string
	DNS          *runtimeapi.DNSConfig
	LogRoot      string
	CgroupParent string
	SeccompRoot  string
	// Sysctls that the pod asks for, already allowed.
	Sysctls map[string]string
}

// SandboxConfig translates it.
func SandboxConfig(r SandboxRequest) *runtimeapi.PodSandboxConfig {
	pod := r.Pod
	labels := maps.Clone(pod.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[LabelPodName], labels[LabelPodNamespace], labels[LabelPodUID] = pod.Name, pod.Namespace, string(pod.UID)
	return &runtimeapi.PodSandboxConfig{
		Metadata:     &runtimeapi.PodSandboxMetadata{Name: pod.Name, Namespace: pod.Namespace, Uid: string(pod.UID), Attempt: r.Attempt},
		Hostname:     r.Hostname,
		LogDirectory: LogDirectory(r.LogRoot, pod),
		DnsConfig:    r.DNS,
		PortMappings: portMappings(pod),
		Labels:       labels,
		Annotations:  maps.Clone(pod.Annotations),
		Linux: &runtimeapi.LinuxPodSandboxConfig{
			CgroupParent:    r.CgroupParent,
			Sysctls:         r.Sysctls,
			SecurityContext: sandboxSecurity(pod, r.SeccompRoot),
			Resources:       PodResources(pod),
			Overhead:        overhead(pod),
		},
	}
}

// LogDirectory of a pod: ROOT/NAMESPACE_NAME_UID.
func LogDirectory(root string, pod *corev1.Pod) string {
	uid := string(pod.UID)
	return filepath.Join(root, strings.Join([]string{pod.Namespace, pod.Name, uid}, "_"))
}

func portMappings(pod *corev1.Pod) []*runtimeapi.PortMapping {
	if pod.Spec.HostNetwork {
		return nil
	}
	var all []*runtimeapi.PortMapping
	for _, m := range podinfo.Members(pod) {
		if m.Sort == podinfo.Init || m.Sort == podinfo.Ephemeral {
			continue
		}
		for _, p := range m.Container.Ports {
			all = append(all, &runtimeapi.PortMapping{
				ContainerPort: p.ContainerPort, HostPort: p.HostPort, HostIp: p.HostIP,
				Protocol: runtimeapi.Protocol(runtimeapi.Protocol_value[string(p.Protocol)]),
			})
		}
	}
	return all
}

func sandboxSecurity(pod *corev1.Pod, seccompRoot string) *runtimeapi.LinuxSandboxSecurityContext {
	s := &runtimeapi.LinuxSandboxSecurityContext{
		NamespaceOptions: Namespaces(pod, nil),
		Privileged:       anyPrivileged(pod),
		Seccomp:          &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_RuntimeDefault},
	}
	psc := pod.Spec.SecurityContext
	if psc == nil {
		return s
	}
	s.RunAsUser, s.RunAsGroup = int64Value(psc.RunAsUser), int64Value(psc.RunAsGroup)
	s.SupplementalGroups = supplementalGroups(psc)
	s.SupplementalGroupsPolicy = groupsPolicy(psc)
	s.SelinuxOptions = selinux(psc.SELinuxOptions)
	if psc.SeccompProfile != nil {
		s.Seccomp = seccomp(psc.SeccompProfile, seccompRoot)
	}
	return s
}

// Namespaces of a container (m nil: of the sandbox).
func Namespaces(pod *corev1.Pod, target *Container) *runtimeapi.NamespaceOption {
	o := &runtimeapi.NamespaceOption{
		Pid:           runtimeapi.NamespaceMode_CONTAINER,
		UsernsOptions: &runtimeapi.UserNamespace{Mode: runtimeapi.NamespaceMode_NODE},
	}
	if pod.Spec.HostNetwork {
		o.Network = runtimeapi.NamespaceMode_NODE
	}
	if pod.Spec.HostIPC {
		o.Ipc = runtimeapi.NamespaceMode_NODE
	}
	switch {
	case pod.Spec.HostPID:
		o.Pid = runtimeapi.NamespaceMode_NODE
	case pod.Spec.ShareProcessNamespace != nil && *pod.Spec.ShareProcessNamespace:
		o.Pid = runtimeapi.NamespaceMode_POD
	case target != nil:
		o.Pid, o.TargetId = runtimeapi.NamespaceMode_TARGET, target.ID
	}
	return o
}

func anyPrivileged(pod *corev1.Pod) bool {
	for _, m := range podinfo.Members(pod) {
		if sc := m.Container.SecurityContext; sc != nil && sc.Privileged != nil && *sc.Privileged {
			return true
		}
	}
	return false
}

func int64Value(v *int64) *runtimeapi.Int64Value {
	if v == nil {
		return nil
	}
	return &runtimeapi.Int64Value{Value: *v}
}

func supplementalGroups(psc *corev1.PodSecurityContext) []int64 {
	if psc == nil {
		return nil
	}
	var groups []int64
	if psc.FSGroup != nil {
		groups = append(groups, *psc.FSGroup)
	}
	return append(groups, psc.SupplementalGroups...)
}

func groupsPolicy(psc *corev1.PodSecurityContext) runtimeapi.SupplementalGroupsPolicy {
	if psc != nil && psc.SupplementalGroupsPolicy != nil && *psc.SupplementalGroupsPolicy == corev1.SupplementalGroupsPolicyStrict {
		return runtimeapi.SupplementalGroupsPolicy_Strict
	}
	return runtimeapi.SupplementalGroupsPolicy_Merge
}

func selinux(o *corev1.SELinuxOptions) *runtimeapi.SELinuxOption {
	if o == nil {
		return nil
	}
	return &runtimeapi.SELinuxOption{User: o.User, Role: o.Role, Type: o.Type, Level: o.Level}
}

func seccomp(p *corev1.SeccompProfile, root string) *runtimeapi.SecurityProfile {
	switch p.Type {
	case corev1.SeccompProfileTypeRuntimeDefault:
		return &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_RuntimeDefault}
	case corev1.SeccompProfileTypeLocalhost:
		if p.LocalhostProfile != nil {
			return &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_Localhost, LocalhostRef: filepath.Join(root, *p.LocalhostProfile)}
		}
	}
	return &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_Unconfined}
}
