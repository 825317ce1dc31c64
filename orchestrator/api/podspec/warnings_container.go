package podspec

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// placed is a port of a container and where it stands.
type placed struct {
	port corev1.ContainerPort
	path *field.Path
}

// containersWarnings are about all containers, in the order in which they start. path is the template's, nil for a pod.
func containersWarnings(meta *metav1.ObjectMeta, spec *corev1.PodSpec, path *field.Path) []string {
	var all []string
	var ports []placed
	visit := func(c *corev1.Container, at *field.Path) {
		all = append(all, profileWarnings(meta, spec, c, path.Child("metadata", "annotations"))...)
		all = append(all, fractionWarnings(c.Resources.Limits, at.Child("resources", "limits"))...)
		all = append(all, fractionWarnings(c.Resources.Requests, at.Child("resources", "requests"))...)
		all = append(all, envWarnings(c.Env, at.Child("env"))...)
		for i, p := range c.Ports {
			now := placed{p, at.Child("ports").Index(i)}
			all = append(all, portWarnings(now, ports)...)
			ports = append(ports, now)
		}
	}
	for i := range spec.InitContainers {
		visit(&spec.InitContainers[i], path.Child("spec", "initContainers").Index(i))
	}
	for i := range spec.Containers {
		visit(&spec.Containers[i], path.Child("spec", "containers").Index(i))
	}
	return all
}

// profileWarnings are about annotations that have become fields.
func profileWarnings(meta *metav1.ObjectMeta, spec *corev1.PodSpec, c *corev1.Container, path *field.Path) []string {
	var all []string
	own := c.SecurityContext
	if own == nil {
		own = &corev1.SecurityContext{}
	}
	key := corev1.SeccompContainerAnnotationKeyPrefix + c.Name
	if _, set := meta.Annotations[key]; set && own.SeccompProfile == nil {
		all = append(all, fmt.Sprintf(`%s: non-functional in v1.27+; use the "seccompProfile" field instead`, path.Key(key)))
	}
	key = corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix + c.Name
	fromPod := spec.SecurityContext != nil && spec.SecurityContext.AppArmorProfile != nil
	if _, set := meta.Annotations[key]; set && own.AppArmorProfile == nil && !fromPod {
		all = append(all, fmt.Sprintf(`%s: deprecated since v1.30; use the "appArmorProfile" field instead`, path.Key(key)))
	}
	return all
}

// fractionWarnings: there is nothing less than a byte.
func fractionWarnings(list corev1.ResourceList, path *field.Path) []string {
	var all []string
	for _, name := range []corev1.ResourceName{corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		all = append(all, FractionWarning(list, name, path)...)
	}
	return all
}

// FractionWarning of an amount of bytes that is no whole number.
func FractionWarning(list corev1.ResourceList, name corev1.ResourceName, path *field.Path) []string {
	amount, set := list[name]
	if !set || amount.MilliValue()%1000 == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: fractional byte value %q is invalid, must be an integer", path.Key(string(name)), amount.String())}
}

// envWarnings: a later variable hides one of its name, unless it is made of it.
func envWarnings(env []corev1.EnvVar, path *field.Path) []string {
	var all []string
	seen := map[string]bool{}
	for i, e := range env {
		if seen[e.Name] && !strings.Contains(e.Value, "$("+e.Name+")") {
			all = append(all, fmt.Sprintf("%s: hides previous definition of %q, which may be dropped when using apply", path.Index(i), e.Name))
		}
		seen[e.Name] = true
	}
	return all
}

// portWarnings of a port, of those before it.
func portWarnings(now placed, before []placed) []string {
	var all []string
	p := now.port
	if p.HostIP != "" && p.HostPort == 0 {
		all = append(all, fmt.Sprintf("%s: hostIP set without hostPort: %+v", now.path, p))
	}
	for _, b := range before {
		if how := clash(p, b.port); how != "" {
			all = append(all, fmt.Sprintf("%s: %s port definition with %s", now.path, how, b.path))
		}
	}
	for _, b := range before {
		if p.Name != "" && p.Name == b.port.Name {
			all = append(all, fmt.Sprintf("%s: duplicate port name %q with %s, services and probes that select ports by name will use %s", now.path, p.Name, b.path, b.path))
			break
		}
	}
	return all
}

// clash tells how two ports are in each other's way, if they are.
func clash(a, b corev1.ContainerPort) string {
	switch {
	case a.ContainerPort != b.ContainerPort || a.Protocol != b.Protocol:
		return ""
	case a.HostPort == b.HostPort && (a.HostPort == 0 || a.HostIP == b.HostIP):
		return "duplicate"
	case a.HostPort == 0 || b.HostPort == 0:
		return "overlapping"
	case a.HostPort == b.HostPort && (a.HostIP == "" || b.HostIP == ""):
		return "dangerously ambiguous"
	}
	return ""
}
