package usage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
)

// computed are the resources of pods that quotas bound by name; hugepages and extended resources come by prefix.
var computed = []corev1.ResourceName{
	corev1.ResourcePods, corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage,
	corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory, corev1.ResourceRequestsEphemeralStorage,
	corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory, corev1.ResourceLimitsEphemeralStorage,
}

func podResource(name corev1.ResourceName) bool {
	text := string(name)
	if slices.Contains(computed, name) || strings.HasPrefix(text, corev1.ResourceHugePagesPrefix) || strings.HasPrefix(text, corev1.ResourceRequestsHugePagesPrefix) {
		return true
	}
	rest, requested := strings.CutPrefix(text, corev1.DefaultResourceRequestsPrefix)
	return requested && strings.Contains(rest, "/")
}

// ofPod is nothing for a pod that has ended, or whose time to end is over.
func ofPod(p *corev1.Pod, now time.Time) corev1.ResourceList {
	if p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded {
		return nil
	}
	if p.DeletionTimestamp != nil && p.DeletionGracePeriodSeconds != nil {
		if now.After(p.DeletionTimestamp.Add(time.Duration(*p.DeletionGracePeriodSeconds) * time.Second)) {
			return nil
		}
	}
	options := resource.PodResourcesOptions{UseStatusResources: true}
	return compute(resource.PodRequests(p, options), resource.PodLimits(p, options))
}

// compute names requests and limits as quotas do.
func compute(requests, limits corev1.ResourceList) corev1.ResourceList {
	used := corev1.ResourceList{corev1.ResourcePods: one()}
	for name, quantity := range requests {
		text := string(name)
		switch {
		case name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage, strings.HasPrefix(text, corev1.ResourceHugePagesPrefix):
			used[name] = quantity
			used[corev1.ResourceName(corev1.DefaultResourceRequestsPrefix+text)] = quantity
		case strings.Contains(text, "/"):
			used[corev1.ResourceName(corev1.DefaultResourceRequestsPrefix+text)] = quantity
		}
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		if quantity, ok := limits[name]; ok {
			used["limits."+name] = quantity
		}
	}
	return used
}

// mandatory are the resources that every container must state once a quota bounds them.
var mandatory = []corev1.ResourceName{
	corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory, corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory,
}

// Unstated says which containers do not state which of the bounded resources; empty when all do.
func Unstated(p *corev1.Pod, bounded []corev1.ResourceName) string {
	if resource.IsPodLevelResourcesSet(p) {
		return ""
	}
	missing := map[string][]string{}
	for _, list := range [][]corev1.Container{p.Spec.Containers, p.Spec.InitContainers} {
		for i := range list {
			stated := compute(list[i].Resources.Requests, list[i].Resources.Limits)
			for _, name := range mandatory {
				if _, ok := stated[name]; !ok && slices.Contains(bounded, name) {
					missing[string(name)] = append(missing[string(name)], list[i].Name)
				}
			}
		}
	}
	var parts []string
	for name, containers := range missing {
		slices.Sort(containers)
		parts = append(parts, fmt.Sprintf("%s for: %s", name, strings.Join(slices.Compact(containers), ",")))
	}
	if len(parts) == 0 {
		return ""
	}
	slices.Sort(parts)
	return "must specify " + strings.Join(parts, "; ")
}
