package podspec

import (
	corev1 "k8s.io/api/core/v1"
)

// QOS is the quality-of-service class of a pod (API concepts page "Pod Quality of Service Classes"): of its own resources when it has
// some, else of all its containers, the init containers included. Only cpu and memory count.
func QOS(spec *corev1.PodSpec) corev1.PodQOSClass {
	var all []corev1.ResourceRequirements
	if spec.Resources != nil && (len(spec.Resources.Limits) > 0 || len(spec.Resources.Requests) > 0) {
		all = append(all, *spec.Resources)
	} else {
		for i := range spec.InitContainers {
			all = append(all, spec.InitContainers[i].Resources)
		}
		for i := range spec.Containers {
			all = append(all, spec.Containers[i].Resources)
		}
	}
	guaranteed, some := true, false
	for _, r := range all {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			request, limit := r.Requests[name], r.Limits[name]
			some = some || request.Sign() > 0 || limit.Sign() > 0
			if limit.Sign() <= 0 || request.Cmp(limit) != 0 {
				guaranteed = false
			}
		}
	}
	switch {
	case !some:
		return corev1.PodQOSBestEffort
	case guaranteed:
		return corev1.PodQOSGuaranteed
	}
	return corev1.PodQOSBurstable
}
