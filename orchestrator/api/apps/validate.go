package apps

import (
	"context"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

var specPath = field.NewPath("spec")

func validateDeployment(_ context.Context, d *appsv1.Deployment) field.ErrorList {
	errs := validation.ValidateNonnegativeField(int64(replicas(d.Spec.Replicas)), specPath.Child("replicas"))
	errs = append(errs, validateSelected("deployment", d.Spec.Selector, &d.Spec.Template)...)
	errs = append(errs, validateDeploymentStrategy(&d.Spec.Strategy, specPath.Child("strategy"))...)
	errs = append(errs, validation.ValidateNonnegativeField(int64(d.Spec.MinReadySeconds), specPath.Child("minReadySeconds"))...)
	if limit := d.Spec.RevisionHistoryLimit; limit != nil {
		errs = append(errs, validation.ValidateNonnegativeField(int64(*limit), specPath.Child("revisionHistoryLimit"))...)
	}
	if deadline := d.Spec.ProgressDeadlineSeconds; deadline != nil {
		path := specPath.Child("progressDeadlineSeconds")
		errs = append(errs, validation.ValidateNonnegativeField(int64(*deadline), path)...)
		if *deadline <= d.Spec.MinReadySeconds {
			errs = append(errs, field.Invalid(path, *deadline, "must be greater than minReadySeconds"))
		}
	}
	return errs
}

func validateDeploymentUpdate(ctx context.Context, d, old *appsv1.Deployment) field.ErrorList {
	return append(validateDeployment(ctx, d), validation.ValidateImmutableField(d.Spec.Selector, old.Spec.Selector, specPath.Child("selector"))...)
}

func validateDeploymentStrategy(s *appsv1.DeploymentStrategy, path *field.Path) field.ErrorList {
	switch s.Type {
	case appsv1.RecreateDeploymentStrategyType:
		if s.RollingUpdate != nil {
			return field.ErrorList{field.Forbidden(path.Child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'")}
		}
		return nil
	case appsv1.RollingUpdateDeploymentStrategyType:
		if s.RollingUpdate == nil {
			return field.ErrorList{field.Required(path.Child("rollingUpdate"), "this should be defaulted and never be nil")}
		}
		return validateRolling(s.RollingUpdate.MaxUnavailable, s.RollingUpdate.MaxSurge, path.Child("rollingUpdate"))
	case "":
		return field.ErrorList{field.Required(path.Child("type"), "")}
	}
	return field.ErrorList{field.NotSupported(path, kind.Untagged(*s),
		[]appsv1.DeploymentStrategyType{appsv1.RecreateDeploymentStrategyType, appsv1.RollingUpdateDeploymentStrategyType})}
}

func validateRolling(unavailable, surge *intstr.IntOrString, path *field.Path) field.ErrorList {
	errs := validateAmount(unavailable, path.Child("maxUnavailable"))
	errs = append(errs, validateAmount(surge, path.Child("maxSurge"))...)
	if amount(unavailable) == 0 && amount(surge) == 0 {
		errs = append(errs, field.Invalid(path.Child("maxUnavailable"), unavailable, "may not be 0 when `maxSurge` is 0"))
	}
	if unavailable != nil && unavailable.Type == intstr.String && amount(unavailable) > 100 {
		errs = append(errs, field.Invalid(path.Child("maxUnavailable"), unavailable, "must not be greater than 100%"))
	}
	return errs
}

// validateAmount: a number of pods that is not negative, or a percentage.
func validateAmount(v *intstr.IntOrString, path *field.Path) field.ErrorList {
	if v == nil {
		return nil
	}
	if v.Type == intstr.Int {
		return validation.ValidateNonnegativeField(int64(v.IntVal), path)
	}
	var errs field.ErrorList
	for _, msg := range utilvalidation.IsValidPercent(v.StrVal) {
		errs = append(errs, field.Invalid(path, v, msg))
	}
	return errs
}

// amount is the number, or the percentage without its sign.
func amount(v *intstr.IntOrString) int {
	if v == nil {
		return 0
	}
	if v.Type == intstr.Int {
		return int(v.IntVal)
	}
	n, isPercent := strings.CutSuffix(v.StrVal, "%")
	if !isPercent {
		return 0
	}
	number := intstr.Parse(n)
	return number.IntValue()
}

func validateReplicaSet(_ context.Context, r *appsv1.ReplicaSet) field.ErrorList {
	errs := validation.ValidateNonnegativeField(int64(replicas(r.Spec.Replicas)), specPath.Child("replicas"))
	errs = append(errs, validation.ValidateNonnegativeField(int64(r.Spec.MinReadySeconds), specPath.Child("minReadySeconds"))...)
	return append(errs, validateSelected("deployment", r.Spec.Selector, &r.Spec.Template)...)
}

func validateReplicaSetUpdate(ctx context.Context, r, old *appsv1.ReplicaSet) field.ErrorList {
	return append(validateReplicaSet(ctx, r), validation.ValidateImmutableField(r.Spec.Selector, old.Spec.Selector, specPath.Child("selector"))...)
}

func validateDaemonSet(_ context.Context, d *appsv1.DaemonSet) field.ErrorList {
	errs := validateSelected("daemonset", d.Spec.Selector, &d.Spec.Template)
	errs = append(errs, validation.ValidateNonnegativeField(int64(d.Spec.MinReadySeconds), specPath.Child("minReadySeconds"))...)
	if limit := d.Spec.RevisionHistoryLimit; limit != nil {
		errs = append(errs, validation.ValidateNonnegativeField(int64(*limit), specPath.Child("revisionHistoryLimit"))...)
	}
	path := specPath.Child("updateStrategy")
	switch d.Spec.UpdateStrategy.Type {
	case appsv1.OnDeleteDaemonSetStrategyType:
	case appsv1.RollingUpdateDaemonSetStrategyType:
		rolling := d.Spec.UpdateStrategy.RollingUpdate
		if rolling == nil {
			return append(errs, field.Required(path.Child("rollingUpdate"), ""))
		}
		errs = append(errs, validateDaemonRolling(rolling, path.Child("rollingUpdate"))...)
	default:
		errs = append(errs, field.NotSupported(path, kind.Untagged(d.Spec.UpdateStrategy),
			[]appsv1.DaemonSetUpdateStrategyType{appsv1.RollingUpdateDaemonSetStrategyType, appsv1.OnDeleteDaemonSetStrategyType}))
	}
	return errs
}

// validateDaemonRolling: exactly one of the two must be above zero.
func validateDaemonRolling(r *appsv1.RollingUpdateDaemonSet, path *field.Path) field.ErrorList {
	errs := validateAmount(r.MaxUnavailable, path.Child("maxUnavailable"))
	errs = append(errs, validateAmount(r.MaxSurge, path.Child("maxSurge"))...)
	unavailable, surge := amount(r.MaxUnavailable) != 0, amount(r.MaxSurge) != 0
	switch {
	case unavailable && surge:
		errs = append(errs, field.Invalid(path.Child("maxSurge"), r.MaxSurge, "may not be set when maxUnavailable is non-zero"))
	case !unavailable && !surge:
		errs = append(errs, field.Required(path.Child("maxUnavailable"), "cannot be 0 when maxSurge is 0"))
	}
	return errs
}

func validateDaemonSetUpdate(ctx context.Context, d, old *appsv1.DaemonSet) field.ErrorList {
	return append(validateDaemonSet(ctx, d), validation.ValidateImmutableField(d.Spec.Selector, old.Spec.Selector, specPath.Child("selector"))...)
}

// ofKind is how a refusal of a deadline calls the workload: Deployments and StatefulSets share the ReplicaSet's.
var ofKind = map[string]string{"deployment": "ReplicaSet", "daemonset": "DaemonSet", "statefulset": "ReplicaSet"}

// validateSelected: a selector that is not empty and selects the template's pods, and a template that may be replaced.
func validateSelected(of string, selector *metav1.LabelSelector, template *corev1.PodTemplateSpec) field.ErrorList {
	path, labelsPath := specPath.Child("selector"), specPath.Child("template", "metadata", "labels")
	var errs field.ErrorList
	if selector == nil {
		errs = append(errs, field.Required(path, ""))
	} else {
		errs = append(errs, metavalidation.ValidateLabelSelector(selector, metavalidation.LabelSelectorValidationOptions{}, path)...)
		if len(selector.MatchLabels)+len(selector.MatchExpressions) == 0 {
			errs = append(errs, field.Invalid(path, selector, "empty selector is invalid for "+of))
		}
	}
	compiled, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		errs = append(errs, field.Invalid(path, selector, "invalid label selector"))
	} else if !compiled.Empty() && !compiled.Matches(labels.Set(template.Labels)) || selector == nil {
		errs = append(errs, field.Invalid(labelsPath, template.Labels, "`selector` does not match template `labels`"))
	}
	errs = append(errs, podspec.ValidateTemplate(template, specPath.Child("template"))...)
	return append(errs, podspec.ValidateAlwaysRestarts(ofKind[of], &template.Spec, specPath.Child("template", "spec"))...)
}
