package runtime

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Paths of /proc and /sys that a container with the default procMount cannot read or write.
var (
	maskedPaths = []string{
		"/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
		"/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
	}
	readonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

// EffectiveSecurity merges a pod's security context under a container's: what the container says wins.
func EffectiveSecurity(pod *corev1.Pod, c *corev1.Container) *corev1.SecurityContext {
	e := &corev1.SecurityContext{}
	if c.SecurityContext != nil {
		e = c.SecurityContext.DeepCopy()
	}
	psc := pod.Spec.SecurityContext
	if psc == nil {
		return e
	}
	inherit(&e.RunAsUser, psc.RunAsUser)
	inherit(&e.RunAsGroup, psc.RunAsGroup)
	inherit(&e.RunAsNonRoot, psc.RunAsNonRoot)
	inherit(&e.SELinuxOptions, psc.SELinuxOptions)
	inherit(&e.SeccompProfile, psc.SeccompProfile)
	inherit(&e.AppArmorProfile, psc.AppArmorProfile)
	return e
}

func inherit[T any](own **T, pods *T) {
	if *own == nil {
		*own = pods
	}
}

// securityContext translates; uid and username are the image's own user, used when the pod names none.
func securityContext(r ContainerRequest) (*runtimeapi.LinuxContainerSecurityContext, error) {
	e := EffectiveSecurity(r.Pod, r.Container)
	if err := VerifyNonRoot(e, r.ImageUID, r.ImageUser); err != nil {
		return nil, fmt.Errorf("%w (pod: %q, container: %s)", err, r.Pod.Name+"_"+r.Pod.Namespace+"("+string(r.Pod.UID)+")", r.Container.Name)
	}
	s := &runtimeapi.LinuxContainerSecurityContext{
		NamespaceOptions:         Namespaces(r.Pod, r.Target),
		SupplementalGroups:       append(supplementalGroups(r.Pod.Spec.SecurityContext), r.ExtraGroups...),
		SupplementalGroupsPolicy: groupsPolicy(r.Pod.Spec.SecurityContext),
		RunAsUser:                int64Value(e.RunAsUser),
		RunAsGroup:               int64Value(e.RunAsGroup),
		SelinuxOptions:           selinux(e.SELinuxOptions),
		Capabilities:             capabilities(e.Capabilities),
		Privileged:               e.Privileged != nil && *e.Privileged,
		ReadonlyRootfs:           e.ReadOnlyRootFilesystem != nil && *e.ReadOnlyRootFilesystem,
		NoNewPrivs:               e.AllowPrivilegeEscalation != nil && !*e.AllowPrivilegeEscalation,
		Seccomp:                  &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_Unconfined},
		Apparmor:                 apparmor(e.AppArmorProfile),
	}
	if s.RunAsUser == nil {
		if r.ImageUID != nil {
			s.RunAsUser = int64Value(r.ImageUID)
		} else {
			s.RunAsUsername = r.ImageUser
		}
	}
	if e.SeccompProfile != nil {
		s.Seccomp = seccomp(e.SeccompProfile, r.SeccompRoot)
	} else if r.SeccompDefault {
		s.Seccomp = &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_RuntimeDefault}
	}
	if e.ProcMount == nil || *e.ProcMount == corev1.DefaultProcMount {
		s.MaskedPaths, s.ReadonlyPaths = maskedPaths, readonlyPaths
	}
	return s, nil
}

// apparmor is nil where no profile is asked for: the runtime has a default.
func apparmor(p *corev1.AppArmorProfile) *runtimeapi.SecurityProfile {
	if p == nil {
		return nil
	}
	switch p.Type {
	case corev1.AppArmorProfileTypeRuntimeDefault:
		return &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_RuntimeDefault}
	case corev1.AppArmorProfileTypeLocalhost:
		if p.LocalhostProfile != nil {
			return &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_Localhost, LocalhostRef: *p.LocalhostProfile}
		}
	}
	return &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_Unconfined}
}

func capabilities(c *corev1.Capabilities) *runtimeapi.Capability {
	if c == nil {
		return nil
	}
	out := &runtimeapi.Capability{}
	for _, name := range c.Add {
		out.AddCapabilities = append(out.AddCapabilities, string(name))
	}
	for _, name := range c.Drop {
		out.DropCapabilities = append(out.DropCapabilities, string(name))
	}
	return out
}

// VerifyNonRoot refuses a container that must not run as root and would, or might.
func VerifyNonRoot(e *corev1.SecurityContext, uid *int64, username string) error {
	if e.RunAsNonRoot == nil || !*e.RunAsNonRoot {
		return nil
	}
	switch {
	case e.RunAsUser != nil && *e.RunAsUser == 0:
		return fmt.Errorf("container's runAsUser breaks non-root policy")
	case e.RunAsUser != nil:
		return nil
	case uid != nil && *uid == 0, uid == nil && username == "":
		return fmt.Errorf("container has runAsNonRoot and image will run as root")
	case uid == nil && username != "":
		return fmt.Errorf("container has runAsNonRoot and image has non-numeric user (%s), cannot verify user is non-root", username)
	}
	return nil
}
