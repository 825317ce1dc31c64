package usage

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/component-helpers/resource"
)

// InScope tells whether a quota counts the object: all of its scopes must hold. Scopes are about pods and claims; other objects are in none.
func InScope(q *corev1.ResourceQuota, obj runtime.Object) bool {
	return !slices.ContainsFunc(Selectors(q), func(s corev1.ScopedResourceSelectorRequirement) bool { return !holds(s, obj) })
}

// Selectors are the scopes of a quota in their general form.
func Selectors(q *corev1.ResourceQuota) []corev1.ScopedResourceSelectorRequirement {
	var all []corev1.ScopedResourceSelectorRequirement
	for _, scope := range q.Spec.Scopes {
		all = append(all, corev1.ScopedResourceSelectorRequirement{ScopeName: scope, Operator: corev1.ScopeSelectorOpExists})
	}
	if q.Spec.ScopeSelector != nil {
		all = append(all, q.Spec.ScopeSelector.MatchExpressions...)
	}
	return all
}

func holds(s corev1.ScopedResourceSelectorRequirement, obj runtime.Object) bool {
	switch o := obj.(type) {
	case *corev1.Pod:
		return podHolds(s, o)
	case *corev1.PersistentVolumeClaim:
		return s.ScopeName == corev1.ResourceQuotaScopeVolumeAttributesClass && claimHolds(s, o)
	}
	return false
}

func podHolds(s corev1.ScopedResourceSelectorRequirement, p *corev1.Pod) bool {
	switch s.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return bounded(p)
	case corev1.ResourceQuotaScopeNotTerminating:
		return !bounded(p)
	case corev1.ResourceQuotaScopeBestEffort:
		return bestEffort(p)
	case corev1.ResourceQuotaScopeNotBestEffort:
		return !bestEffort(p)
	case corev1.ResourceQuotaScopePriorityClass:
		return selects(s, p.Spec.PriorityClassName)
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return crossesNamespaces(p)
	}
	return false
}

// selects judges one value by the operator; the empty value is none.
func selects(s corev1.ScopedResourceSelectorRequirement, value string) bool {
	switch s.Operator {
	case corev1.ScopeSelectorOpExists:
		return value != ""
	case corev1.ScopeSelectorOpDoesNotExist:
		return value == ""
	case corev1.ScopeSelectorOpIn:
		return value != "" && slices.Contains(s.Values, value)
	case corev1.ScopeSelectorOpNotIn:
		return !slices.Contains(s.Values, value)
	}
	return false
}

// bounded pods end by themselves: those with a deadline.
func bounded(p *corev1.Pod) bool {
	return p.Spec.ActiveDeadlineSeconds != nil && *p.Spec.ActiveDeadlineSeconds >= 0
}

// bestEffort pods ask for no CPU and memory and are limited in neither.
func bestEffort(p *corev1.Pod) bool {
	asks := func(list corev1.ResourceList) bool {
		cpu, memory := list[corev1.ResourceCPU], list[corev1.ResourceMemory]
		return cpu.Sign() > 0 || memory.Sign() > 0
	}
	if resource.IsPodLevelResourcesSet(p) {
		return !asks(p.Spec.Resources.Requests) && !asks(p.Spec.Resources.Limits)
	}
	for _, list := range [][]corev1.Container{p.Spec.Containers, p.Spec.InitContainers} {
		for i := range list {
			if asks(list[i].Resources.Requests) || asks(list[i].Resources.Limits) {
				return false
			}
		}
	}
	return true
}

func crossesNamespaces(p *corev1.Pod) bool {
	if p.Spec.Affinity == nil {
		return false
	}
	var terms []corev1.PodAffinityTerm
	collect := func(required []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm) {
		terms = append(terms, required...)
		for _, w := range preferred {
			terms = append(terms, w.PodAffinityTerm)
		}
	}
	if a := p.Spec.Affinity.PodAffinity; a != nil {
		collect(a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if a := p.Spec.Affinity.PodAntiAffinity; a != nil {
		collect(a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	return slices.ContainsFunc(terms, func(t corev1.PodAffinityTerm) bool { return len(t.Namespaces) > 0 || t.NamespaceSelector != nil })
}

// claimHolds: the class that a claim asks for, has, or is on its way to.
func claimHolds(s corev1.ScopedResourceSelectorRequirement, c *corev1.PersistentVolumeClaim) bool {
	var classes []string
	for _, name := range []*string{c.Spec.VolumeAttributesClassName, c.Status.CurrentVolumeAttributesClassName} {
		if name != nil && *name != "" {
			classes = append(classes, *name)
		}
	}
	if m := c.Status.ModifyVolumeStatus; m != nil && m.TargetVolumeAttributesClassName != "" {
		classes = append(classes, m.TargetVolumeAttributesClassName)
	}
	if len(classes) == 0 {
		return selects(s, "")
	}
	return slices.ContainsFunc(classes, func(class string) bool { return selects(s, class) })
}
