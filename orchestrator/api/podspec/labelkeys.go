package podspec

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ExpandLabelKeys writes matchLabelKeys and mismatchLabelKeys of pod affinity into the label selectors, with the pod's own values
// (KEP-3633): schedulers read selectors only.
func ExpandLabelKeys(spec *corev1.PodSpec, labels map[string]string) {
	if spec.Affinity == nil {
		return
	}
	if a := spec.Affinity.PodAffinity; a != nil {
		expandTerms(a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution, labels)
	}
	if a := spec.Affinity.PodAntiAffinity; a != nil {
		expandTerms(a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution, labels)
	}
}

func expandTerms(required []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm, labels map[string]string) {
	for i := range required {
		expandTerm(&required[i], labels)
	}
	for i := range preferred {
		expandTerm(&preferred[i].PodAffinityTerm, labels)
	}
}

func expandTerm(term *corev1.PodAffinityTerm, labels map[string]string) {
	if term.LabelSelector == nil {
		return
	}
	add := func(keys []string, operator metav1.LabelSelectorOperator) {
		for _, key := range keys {
			if value, has := labels[key]; has {
				term.LabelSelector.MatchExpressions = append(term.LabelSelector.MatchExpressions,
					metav1.LabelSelectorRequirement{Key: key, Operator: operator, Values: []string{value}})
			}
		}
	}
	add(term.MatchLabelKeys, metav1.LabelSelectorOpIn)
	add(term.MismatchLabelKeys, metav1.LabelSelectorOpNotIn)
}
