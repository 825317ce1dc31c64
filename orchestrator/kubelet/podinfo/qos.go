package podinfo

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

var qosResources = []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory}

// QOS is the class of a pod: the one in its status when the apiserver set it, else computed (pod-level resources win over containers').
func QOS(pod *corev1.Pod) corev1.PodQOSClass {
	if pod.Status.QOSClass != "" {
		return pod.Status.QOSClass
	}
	return ComputeQOS(pod)
}

// ComputeQOS is the rule of "Pod Quality of Service Classes".
func ComputeQOS(pod *corev1.Pod) corev1.PodQOSClass {
	if pod.Spec.Resources != nil && len(pod.Spec.Resources.Requests)+len(pod.Spec.Resources.Limits) > 0 {
		return classOf([]corev1.ResourceRequirements{*pod.Spec.Resources})
	}
	var all []corev1.ResourceRequirements
	for _, m := range Members(pod) {
		if m.Sort != Ephemeral {
			all = append(all, m.Container.Resources)
		}
	}
	return classOf(all)
}

func classOf(all []corev1.ResourceRequirements) corev1.PodQOSClass {
	guaranteed, any := true, false
	for _, r := range all {
		for _, name := range qosResources {
			request, limit := r.Requests[name], r.Limits[name]
			any = any || !request.IsZero() || !limit.IsZero()
			if limit.IsZero() || !(request.IsZero() || request.Cmp(limit) == 0) {
				guaranteed = false
			}
		}
	}
	switch {
	case !any:
		return corev1.PodQOSBestEffort
	case guaranteed:
		return corev1.PodQOSGuaranteed
	default:
		return corev1.PodQOSBurstable
	}
}

// Requests of a pod for one resource: the larger of what runs at once and what its init containers need, plus overhead.
// The rule is that of KEP-753 (sidecars): a sidecar counts with everything that starts after it.
func Requests(pod *corev1.Pod, name corev1.ResourceName) resource.Quantity {
	return total(pod, name, func(r corev1.ResourceRequirements) corev1.ResourceList { return r.Requests })
}

// Limits is the same sum over limits.
func Limits(pod *corev1.Pod, name corev1.ResourceName) resource.Quantity {
	return total(pod, name, func(r corev1.ResourceRequirements) corev1.ResourceList { return r.Limits })
}

func total(pod *corev1.Pod, name corev1.ResourceName, list func(corev1.ResourceRequirements) corev1.ResourceList) resource.Quantity {
	sum, sidecars, peak := resource.Quantity{}, resource.Quantity{}, resource.Quantity{}
	for _, m := range Members(pod) {
		q := list(m.Container.Resources)[name]
		switch m.Sort {
		case App:
			sum.Add(q)
		case Sidecar:
			sum.Add(q)
			sidecars.Add(q)
			if sidecars.Cmp(peak) > 0 {
				peak = sidecars.DeepCopy()
			}
		case Init:
			q = q.DeepCopy()
			q.Add(sidecars)
			if q.Cmp(peak) > 0 {
				peak = q
			}
		}
	}
	if peak.Cmp(sum) > 0 {
		sum = peak
	}
	if pod.Spec.Resources != nil {
		if q, ok := list(*pod.Spec.Resources)[name]; ok {
			sum = q.DeepCopy()
		}
	}
	if q, ok := pod.Spec.Overhead[name]; ok && !sum.IsZero() {
		sum.Add(q)
	}
	return sum
}
