package batch

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Bounds of a pod failure policy (API doc of PodFailurePolicy).
const (
	maxFailureRules      = 20
	maxFailureConditions = 20
	maxExitCodes         = 255
)

var (
	failureActions = []batchv1.PodFailurePolicyAction{
		batchv1.PodFailurePolicyActionCount, batchv1.PodFailurePolicyActionFailIndex, batchv1.PodFailurePolicyActionFailJob, batchv1.PodFailurePolicyActionIgnore,
	}
	exitOperators     = []batchv1.PodFailurePolicyOnExitCodesOperator{batchv1.PodFailurePolicyOnExitCodesOpIn, batchv1.PodFailurePolicyOnExitCodesOpNotIn}
	conditionStatuses = []corev1.ConditionStatus{corev1.ConditionFalse, corev1.ConditionTrue, corev1.ConditionUnknown}
)

func validateFailurePolicy(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	rules := s.PodFailurePolicy.Rules
	if len(rules) > maxFailureRules {
		errs = append(errs, field.TooMany(path.Child("rules"), len(rules), maxFailureRules))
	}
	names := sets.New[string]()
	for _, containers := range [][]corev1.Container{s.Template.Spec.Containers, s.Template.Spec.InitContainers} {
		for i := range containers {
			names.Insert(containers[i].Name)
		}
	}
	for i := range rules {
		at := path.Child("rules").Index(i)
		if rules[i].Action == batchv1.PodFailurePolicyActionFailIndex && s.BackoffLimitPerIndex == nil {
			errs = append(errs, field.Invalid(at.Child("action"), rules[i].Action, "requires the backoffLimitPerIndex to be set"))
		}
		errs = append(errs, validateFailureRule(&rules[i], names, at)...)
	}
	return errs
}

func validateFailureRule(r *batchv1.PodFailurePolicyRule, names sets.Set[string], path *field.Path) field.ErrorList {
	errs := oneOf(r.Action, failureActions, path.Child("action"))
	if r.OnExitCodes != nil {
		errs = append(errs, validateExitCodes(r.OnExitCodes, names, path.Child("onExitCodes"))...)
	}
	errs = append(errs, validateConditions(r.OnPodConditions, path.Child("onPodConditions"))...)
	switch {
	case r.OnExitCodes != nil && len(r.OnPodConditions) > 0:
		errs = append(errs, field.Invalid(path, field.OmitValueType{}, "specifying both OnExitCodes and OnPodConditions is not supported"))
	case r.OnExitCodes == nil && len(r.OnPodConditions) == 0:
		errs = append(errs, field.Invalid(path, field.OmitValueType{}, "specifying one of OnExitCodes and OnPodConditions is required"))
	}
	return errs
}

func validateExitCodes(c *batchv1.PodFailurePolicyOnExitCodesRequirement, names sets.Set[string], path *field.Path) field.ErrorList {
	errs := oneOf(c.Operator, exitOperators, path.Child("operator"))
	if c.ContainerName != nil && !names.Has(*c.ContainerName) {
		errs = append(errs, field.Invalid(path.Child("containerName"), *c.ContainerName, "must be one of the container or initContainer names in the pod template"))
	}
	at := path.Child("values")
	switch {
	case len(c.Values) == 0:
		errs = append(errs, field.Invalid(at, c.Values, "at least one value is required"))
	case len(c.Values) > maxExitCodes:
		errs = append(errs, field.TooMany(at, len(c.Values), maxExitCodes))
	}
	seen := sets.New[int32]()
	for i, code := range c.Values {
		if code == 0 && c.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn {
			errs = append(errs, field.Invalid(at.Index(i), code, "must not be 0 for the In operator"))
		}
		if seen.Has(code) {
			errs = append(errs, field.Duplicate(at.Index(i), code))
		}
		seen.Insert(code)
	}
	if !slices.IsSorted(c.Values) {
		errs = append(errs, field.Invalid(at, c.Values, "must be ordered"))
	}
	return errs
}

func validateConditions(patterns []batchv1.PodFailurePolicyOnPodConditionsPattern, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(patterns) > maxFailureConditions {
		errs = append(errs, field.TooMany(path, len(patterns), maxFailureConditions))
	}
	for i, p := range patterns {
		for _, msg := range validation.IsQualifiedName(string(p.Type)) {
			errs = append(errs, field.Invalid(path.Index(i).Child("type"), string(p.Type), msg))
		}
		errs = append(errs, oneOf(p.Status, conditionStatuses, path.Index(i).Child("status"))...)
	}
	return errs
}

// validateReplacement: with a failure policy a pod is replaced only once it is known how it ended.
func validateReplacement(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	supported := []batchv1.PodReplacementPolicy{batchv1.Failed, batchv1.TerminatingOrFailed}
	if s.PodFailurePolicy != nil {
		supported = supported[:1]
	}
	if s.PodReplacementPolicy == nil || slices.Contains(supported, *s.PodReplacementPolicy) {
		return nil
	}
	return field.ErrorList{field.NotSupported(path, *s.PodReplacementPolicy, supported)}
}

// oneOf the supported values, which are sorted, must be there.
func oneOf[T ~string](value T, supported []T, path *field.Path) field.ErrorList {
	switch {
	case value == "":
		return field.ErrorList{field.Required(path, fmt.Sprintf("valid values: %q", supported))}
	case !slices.Contains(supported, value):
		return field.ErrorList{field.NotSupported(path, value, supported)}
	}
	return nil
}
