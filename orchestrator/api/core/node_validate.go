package core

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

func validateNode(_ context.Context, n *corev1.Node) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateTaints(n.Spec.Taints, field.NewPath("metadata", "taints")) // so stock calls it
	for i, cidr := range n.Spec.PodCIDRs {
		errs = append(errs, validation.IsValidCIDRForLegacyField(path.Child("podCIDRs").Index(i), cidr, true, nil)...)
	}
	if len(errs) == 0 && len(n.Spec.PodCIDRs) > 1 && (len(n.Spec.PodCIDRs) > 2 || strings.Contains(n.Spec.PodCIDRs[0], ":") == strings.Contains(n.Spec.PodCIDRs[1], ":")) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "podCIDRs"), n.Spec.PodCIDRs, "may specify no more than one CIDR for each IP family"))
	}
	return errs
}

func validateNodeUpdate(ctx context.Context, n, old *corev1.Node) field.ErrorList {
	errs := validateNode(ctx, n)
	if len(old.Spec.PodCIDRs) > 0 {
		changed := len(old.Spec.PodCIDRs) != len(n.Spec.PodCIDRs)
		for i := 0; !changed && i < len(old.Spec.PodCIDRs); i++ {
			changed = old.Spec.PodCIDRs[i] != n.Spec.PodCIDRs[i]
		}
		if changed {
			errs = append(errs, field.Forbidden(field.NewPath("spec", "podCIDRs"),
				"node updates may not change podCIDR except from \"\" to valid"))
		}
	}
	if old.Spec.ProviderID != "" && old.Spec.ProviderID != n.Spec.ProviderID {
		errs = append(errs, field.Forbidden(field.NewPath("spec", "providerID"),
			"node updates may not change providerID except from \"\" to valid"))
	}
	if old.Spec.DoNotUseExternalID != n.Spec.DoNotUseExternalID {
		errs = append(errs, field.Forbidden(field.NewPath("spec", "externalID"), "may not be updated"))
	}
	return append(errs, validateNodeStatus(&n.Status)...)
}

// validateNodeStatus is asked of changes only, as stock does: a node registers with what it has.
func validateNodeStatus(s *corev1.NodeStatus) field.ErrorList {
	path := field.NewPath("status")
	var errs field.ErrorList
	seen := map[corev1.NodeAddress]bool{}
	for i, a := range s.Addresses {
		if seen[a] {
			errs = append(errs, field.Duplicate(path.Child("addresses").Index(i), kind.Untagged(a)))
		}
		seen[a] = true
	}
	errs = append(errs, validateAmounts(s.Capacity, path.Child("capacity"))...)
	return append(errs, validateAmounts(s.Allocatable, path.Child("allocatable"))...)
}

func validateAmounts(list corev1.ResourceList, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range podspec.SortedNames(list) {
		amount := list[name]
		errs = append(errs, podspec.ValidateAmount(name, amount, path.Child(string(name)))...)
	}
	return errs
}

func validateTaints(taints []corev1.Taint, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	type identity struct {
		key    string
		effect corev1.TaintEffect
	}
	seen := map[identity]bool{}
	for i, t := range taints {
		at := path.Index(i)
		for _, msg := range validation.IsQualifiedName(t.Key) {
			errs = append(errs, field.Invalid(at.Child("key"), t.Key, msg))
		}
		for _, msg := range validation.IsValidLabelValue(t.Value) {
			errs = append(errs, field.Invalid(at.Child("value"), t.Value, msg))
		}
		errs = append(errs, validateTaintEffect(t.Effect, at.Child("effect"))...)
		id := identity{t.Key, t.Effect}
		if seen[id] {
			dup := field.Duplicate(at, kind.Untagged(t))
			dup.Detail = "taints must be unique by key and effect pair"
			errs = append(errs, dup)
		}
		seen[id] = true
	}
	return errs
}

func validateTaintEffect(effect corev1.TaintEffect, path *field.Path) field.ErrorList {
	switch effect {
	case corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute:
		return nil
	case "":
		return field.ErrorList{field.Required(path, "")}
	}
	return field.ErrorList{field.NotSupported(path, effect,
		[]corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute})}
}
