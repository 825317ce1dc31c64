package podspec

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ExpandLabelKeys writes matchLabelKeys and mismatchLabelKeys into the label selectors, with the pod's own values (KEP-3633 for affinity, KEP-3243
// for topology spread): schedulers read selectors only.
func ExpandLabelKeys(spec *corev1.PodSpec, labels map[string]string) {
	for i := range spec.TopologySpreadConstraints {
		c := &spec.TopologySpreadConstraints[i]
		expand(c.LabelSelector, c.MatchLabelKeys, metav1.LabelSelectorOpIn, labels)
	}
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
	expand(term.LabelSelector, term.MatchLabelKeys, metav1.LabelSelectorOpIn, labels)
	expand(term.LabelSelector, term.MismatchLabelKeys, metav1.LabelSelectorOpNotIn, labels)
}

func expand(selector *metav1.LabelSelector, keys []string, operator metav1.LabelSelectorOperator, labels map[string]string) {
	if selector == nil {
		return
	}
	for _, key := range keys {
		if value, has := labels[key]; has {
			selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{Key: key, Operator: operator, Values: []string{value}})
		}
	}
}

// validateLabelKeys of a constraint or term, whose path it is. labels are those of a new pod, whose keys have been expanded; nil otherwise.
func validateLabelKeys(selector *metav1.LabelSelector, match, mismatch []string, labels map[string]string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, list := range []struct {
		name string
		keys []string
	}{{"matchLabelKeys", match}, {"mismatchLabelKeys", mismatch}} {
		at := path.Child(list.name)
		if len(list.keys) > 0 && selector == nil {
			errs = append(errs, field.Forbidden(at, "must not be specified when labelSelector is not set"))
		}
		for i, key := range list.keys {
			errs = append(errs, metavalidation.ValidateLabelName(key, at.Index(i))...)
		}
	}
	if labels != nil && selector != nil {
		errs = append(errs, selectedTwice(selector, match, labels, path)...)
	}
	for i, key := range match {
		if slices.Contains(mismatch, key) {
			errs = append(errs, field.Invalid(path.Child("matchLabelKeys").Index(i), key, "exists in both matchLabelKeys and mismatchLabelKeys"))
		}
	}
	return errs
}

// selectedTwice finds keys that the selector names besides what expand wrote for them.
func selectedTwice(selector *metav1.LabelSelector, match []string, labels map[string]string, path *field.Path) field.ErrorList {
	own := slices.Clone(selector.MatchExpressions)
	for _, key := range match {
		value, has := labels[key]
		for i, r := range slices.Backward(own) {
			if has && r.Key == key && r.Operator == metav1.LabelSelectorOpIn && slices.Equal(r.Values, []string{value}) {
				own = slices.Delete(own, i, i+1)
				break
			}
		}
	}
	taken := map[string]bool{}
	for key := range selector.MatchLabels {
		taken[key] = true
	}
	for _, r := range own {
		taken[r.Key] = true
	}
	var errs field.ErrorList
	for i, key := range match {
		if taken[key] {
			errs = append(errs, field.Invalid(path.Index(i), key, "exists in both matchLabelKeys and labelSelector")) // so stock names it
		}
		taken[key] = true
	}
	return errs
}
