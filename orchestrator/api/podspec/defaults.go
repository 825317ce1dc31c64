package podspec

import (
	corev1 "k8s.io/api/core/v1"
)

// DefaultTemplate fills what a pod template left out.
func DefaultTemplate(template *corev1.PodTemplateSpec) {
	Default(&template.Spec)
}

// Default fills what the spec of a pod or of a template left out.
func Default(spec *corev1.PodSpec) {
	if spec.DNSPolicy == "" {
		spec.DNSPolicy = corev1.DNSClusterFirst
	}
	if spec.RestartPolicy == "" {
		spec.RestartPolicy = corev1.RestartPolicyAlways
	}
	if spec.SecurityContext == nil {
		spec.SecurityContext = &corev1.PodSecurityContext{}
	}
	if spec.TerminationGracePeriodSeconds == nil {
		spec.TerminationGracePeriodSeconds = ptr(int64(corev1.DefaultTerminationGracePeriodSeconds))
	}
	if spec.SchedulerName == "" {
		spec.SchedulerName = corev1.DefaultSchedulerName
	}
	Normalise(spec)
	for i := range spec.Volumes {
		defaultVolume(&spec.Volumes[i])
	}
	for i := range spec.InitContainers {
		defaultContainer(&spec.InitContainers[i])
	}
	for i := range spec.Containers {
		defaultContainer(&spec.Containers[i])
	}
	for i := range spec.EphemeralContainers {
		c := corev1.Container(spec.EphemeralContainers[i].EphemeralContainerCommon)
		defaultContainer(&c)
		spec.EphemeralContainers[i].EphemeralContainerCommon = corev1.EphemeralContainerCommon(c)
	}
	for i := range spec.TopologySpreadConstraints {
		if spec.TopologySpreadConstraints[i].WhenUnsatisfiable == "" {
			spec.TopologySpreadConstraints[i].WhenUnsatisfiable = corev1.DoNotSchedule
		}
	}
	dropZeroOverhead(spec)
}

// DefaultPod fills what only pods get, not templates: requests from limits, host ports on the host's network, service links. A negative grace
// period means as little as there can be: a second.
func DefaultPod(spec *corev1.PodSpec) {
	if g := spec.TerminationGracePeriodSeconds; g != nil && *g < 0 {
		spec.TerminationGracePeriodSeconds = ptr(int64(1))
	}
	if spec.EnableServiceLinks == nil {
		spec.EnableServiceLinks = ptr(corev1.DefaultEnableServiceLinks)
	}
	for i := range spec.InitContainers {
		requestsFromLimits(&spec.InitContainers[i].Resources)
	}
	for i := range spec.Containers {
		requestsFromLimits(&spec.Containers[i].Resources)
	}
	if spec.Resources != nil {
		podRequests(spec)
	}
	if spec.HostNetwork {
		hostPorts(spec.InitContainers)
		hostPorts(spec.Containers)
	}
}

// Normalise keeps serviceAccount, the deprecated alias, equal to serviceAccountName, which wins.
func Normalise(spec *corev1.PodSpec) {
	if spec.ServiceAccountName == "" {
		spec.ServiceAccountName = spec.DeprecatedServiceAccount
	}
	spec.DeprecatedServiceAccount = spec.ServiceAccountName
}

// podRequests fills the pod's own requests from what its containers ask for, or else from its limits.
func podRequests(spec *corev1.PodSpec) {
	sums := corev1.ResourceList{}
	for i := range spec.Containers {
		for name, amount := range spec.Containers[i].Resources.Requests {
			sum := sums[name]
			sum.Add(amount)
			sums[name] = sum
		}
	}
	for name, limit := range spec.Resources.Limits {
		if _, set := spec.Resources.Requests[name]; set {
			continue
		}
		if spec.Resources.Requests == nil {
			spec.Resources.Requests = corev1.ResourceList{}
		}
		if sum, asked := sums[name]; asked && sum.Cmp(limit) <= 0 {
			spec.Resources.Requests[name] = sum
			continue
		}
		spec.Resources.Requests[name] = limit.DeepCopy()
	}
}

func requestsFromLimits(r *corev1.ResourceRequirements) {
	for name, limit := range r.Limits {
		if _, set := r.Requests[name]; set {
			continue
		}
		if r.Requests == nil {
			r.Requests = corev1.ResourceList{}
		}
		r.Requests[name] = limit.DeepCopy()
	}
}

func hostPorts(containers []corev1.Container) {
	for i := range containers {
		for j := range containers[i].Ports {
			if port := &containers[i].Ports[j]; port.HostPort == 0 {
				port.HostPort = port.ContainerPort
			}
		}
	}
}

func dropZeroOverhead(spec *corev1.PodSpec) {
	if len(spec.Overhead) == 0 {
		spec.Overhead = nil
	}
}

func ptr[T any](v T) *T { return &v }
