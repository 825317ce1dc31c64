package podspec

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// volumeSet is the names of a pod's volumes.
type volumeSet = sets.Set[string]

func validateContainers(spec *corev1.PodSpec, volumes volumeSet, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	at := path.Child("containers")
	if len(spec.Containers) == 0 {
		errs = append(errs, field.Required(at, ""))
	}
	names := sets.New[string]()
	hostPorts := sets.New[string]()
	for i := range spec.Containers {
		c, at := &spec.Containers[i], at.Index(i)
		errs = append(errs, validateContainer(c, volumes, at)...)
		errs = append(errs, unique(c.Name, names, at)...)
		errs = append(errs, validateHandlers(c, spec.TerminationGracePeriodSeconds, at)...)
		errs = append(errs, validateResizePolicies(c.ResizePolicy, spec.RestartPolicy, at.Child("resizePolicy"))...)
	}
	for i := range spec.Containers {
		errs = append(errs, validateHostPorts(&spec.Containers[i], hostPorts, at.Index(i))...)
	}
	if spec.HostNetwork {
		errs = append(errs, validateOwnPorts(spec.Containers, at)...)
		errs = append(errs, validateOwnPorts(spec.InitContainers, path.Child("initContainers"))...)
	}
	at = path.Child("initContainers")
	for i := range spec.InitContainers {
		c, at := &spec.InitContainers[i], at.Index(i)
		errs = append(errs, validateContainer(c, volumes, at)...)
		if c.Name != "" || names.Has("") {
			errs = append(errs, unique(c.Name, names, at)...)
		}
		errs = append(errs, oneOf(c.RestartPolicy, at.Child("restartPolicy"), corev1.ContainerRestartPolicyAlways, corev1.ContainerRestartPolicyNever, corev1.ContainerRestartPolicyOnFailure)...)
		errs = append(errs, validateInitHandlers(c, spec.TerminationGracePeriodSeconds, at)...)
	}
	at = path.Child("ephemeralContainers")
	for i := range spec.EphemeralContainers {
		errs = append(errs, validateEphemeral(&spec.EphemeralContainers[i], spec, names, volumes, at.Index(i))...)
	}
	return errs
}

// unique takes a name once.
func unique(name string, taken sets.Set[string], path *field.Path) field.ErrorList {
	if taken.Has(name) {
		return field.ErrorList{field.Duplicate(path.Child("name"), name)}
	}
	taken.Insert(name)
	return nil
}

// validateContainer checks what all containers have in common, in stock's order. An image may be blank: of templates (" " is a placeholder in some),
// not of pods (ValidateOfPod).
func validateContainer(c *corev1.Container, volumes volumeSet, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if c.Name == "" {
		errs = append(errs, field.Required(path.Child("name"), ""))
	} else {
		for _, msg := range utilvalidation.IsDNS1123Label(c.Name) {
			errs = append(errs, field.Invalid(path.Child("name"), c.Name, msg))
		}
	}
	if c.Image == "" {
		errs = append(errs, field.Required(path.Child("image"), ""))
	}
	switch c.TerminationMessagePolicy {
	case corev1.TerminationMessageReadFile, corev1.TerminationMessageFallbackToLogsOnError:
	default:
		errs = append(errs, field.NotSupported(path.Child("terminationMessagePolicy"), c.TerminationMessagePolicy,
			[]corev1.TerminationMessagePolicy{corev1.TerminationMessageReadFile, corev1.TerminationMessageFallbackToLogsOnError}))
	}
	errs = append(errs, validatePorts(c.Ports, path.Child("ports"))...)
	errs = append(errs, validateEnv(c, path)...)
	errs = append(errs, validateMounts(c, volumes, path)...)
	switch c.ImagePullPolicy {
	case corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
	default:
		errs = append(errs, field.NotSupported(path.Child("imagePullPolicy"), c.ImagePullPolicy,
			[]corev1.PullPolicy{corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever}))
	}
	errs = append(errs, validateResources(&c.Resources, path.Child("resources"))...)
	return append(errs, validateContainerSecurity(c.SecurityContext, path.Child("securityContext"))...)
}

func validatePorts(ports []corev1.ContainerPort, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	names := sets.New[string]()
	for i, p := range ports {
		at := path.Index(i)
		if p.Name != "" {
			for _, msg := range utilvalidation.IsValidPortName(p.Name) {
				errs = append(errs, field.Invalid(at.Child("name"), p.Name, msg))
			}
			if names.Has(p.Name) {
				errs = append(errs, field.Duplicate(at.Child("name"), p.Name))
			}
			names.Insert(p.Name)
		}
		if p.ContainerPort == 0 {
			errs = append(errs, field.Required(at.Child("containerPort"), ""))
		} else {
			for _, msg := range utilvalidation.IsValidPortNum(int(p.ContainerPort)) {
				errs = append(errs, field.Invalid(at.Child("containerPort"), p.ContainerPort, msg))
			}
		}
		if p.HostPort != 0 {
			for _, msg := range utilvalidation.IsValidPortNum(int(p.HostPort)) {
				errs = append(errs, field.Invalid(at.Child("hostPort"), p.HostPort, msg))
			}
		}
		switch p.Protocol {
		case corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP:
		default:
			errs = append(errs, field.NotSupported(at.Child("protocol"), p.Protocol,
				[]corev1.Protocol{corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP}))
		}
	}
	return errs
}

// validateHostPorts: a port of the host is taken once per protocol and address.
func validateHostPorts(c *corev1.Container, taken sets.Set[string], path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, p := range c.Ports {
		if p.HostPort == 0 {
			continue
		}
		key := string(p.Protocol) + "/" + p.HostIP + "/" + itoa(p.HostPort)
		if taken.Has(key) {
			errs = append(errs, field.Duplicate(path.Child("ports").Index(i).Child("hostPort"), key))
		}
		taken.Insert(key)
	}
	return errs
}

// validateOwnPorts: on the host's network a container's ports are the host's.
func validateOwnPorts(containers []corev1.Container, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range containers {
		for j, p := range containers[i].Ports {
			if p.HostPort != 0 && p.HostPort != p.ContainerPort {
				errs = append(errs, field.Invalid(path.Index(i).Child("ports").Index(j).Child("hostPort"), p.HostPort, "must match `containerPort` when `hostNetwork` is true"))
			}
		}
	}
	return errs
}

// validateResizePolicies of a container: one per resource, and no restart where nothing restarts.
func validateResizePolicies(policies []corev1.ContainerResizePolicy, restart corev1.RestartPolicy, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := sets.New[corev1.ResourceName]()
	for i, p := range policies {
		errs = append(errs, oneOf(&p.ResourceName, path, corev1.ResourceCPU, corev1.ResourceMemory)...)
		errs = append(errs, oneOf(&p.RestartPolicy, path, corev1.NotRequired, corev1.RestartContainer)...)
		if seen.Has(p.ResourceName) {
			errs = append(errs, field.Duplicate(path.Index(i), p.ResourceName))
		}
		seen.Insert(p.ResourceName)
		if restart == corev1.RestartPolicyNever && p.RestartPolicy == corev1.RestartContainer {
			errs = append(errs, field.Invalid(path, p.RestartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
		}
	}
	return errs
}

// validateEphemeral forbids what makes no sense for a container that is added for debugging.
func validateEphemeral(e *corev1.EphemeralContainer, spec *corev1.PodSpec, names sets.Set[string], volumes volumeSet, path *field.Path) field.ErrorList {
	c := corev1.Container(e.EphemeralContainerCommon)
	errs := append(validateContainer(&c, volumes, path), validateImage(&c, path)...)
	errs = append(errs, unique(c.Name, names, path)...)
	if e.TargetContainerName != "" {
		found := false
		for i := range spec.Containers {
			found = found || spec.Containers[i].Name == e.TargetContainerName
		}
		for i := range spec.InitContainers {
			found = found || spec.InitContainers[i].Name == e.TargetContainerName
		}
		if !found {
			errs = append(errs, field.NotFound(path.Child("targetContainerName"), e.TargetContainerName))
		}
	}
	forbidden := func(set bool, name string) {
		if set {
			errs = append(errs, field.Forbidden(path.Child(name), "cannot be set for an Ephemeral Container"))
		}
	}
	forbidden(len(c.Ports) > 0, "ports")
	forbidden(len(c.Resources.Limits)+len(c.Resources.Requests) > 0, "resources")
	forbidden(c.LivenessProbe != nil, "livenessProbe")
	forbidden(c.ReadinessProbe != nil, "readinessProbe")
	forbidden(c.StartupProbe != nil, "startupProbe")
	forbidden(c.Lifecycle != nil, "lifecycle")
	return errs
}
