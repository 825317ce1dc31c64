package core

import (
	"context"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

func validateReplicationController(_ context.Context, r *corev1.ReplicationController) field.ErrorList {
	spec := field.NewPath("spec")
	errs := validation.ValidateNonnegativeField(int64(replicas(r.Spec.Replicas)), spec.Child("replicas"))
	selector := labels.Set(r.Spec.Selector).AsSelectorPreValidated()
	if selector.Empty() {
		errs = append(errs, field.Required(spec.Child("selector"), ""))
	}
	path := spec.Child("template")
	if r.Spec.Template == nil {
		return append(errs, field.Required(path, ""))
	}
	if !selector.Empty() && !selector.Matches(labels.Set(r.Spec.Template.Labels)) {
		errs = append(errs, field.Invalid(path.Child("metadata", "labels"), r.Spec.Template.Labels,
			"`selector` does not match template `labels`"))
	}
	errs = append(errs, podspec.ValidateTemplate(r.Spec.Template, path)...)
	return append(errs, podspec.ValidateAlwaysRestarts("ReplicationController", &r.Spec.Template.Spec, path.Child("spec"))...)
}

func validateReplicationControllerUpdate(ctx context.Context, r, _ *corev1.ReplicationController) field.ErrorList {
	return validateReplicationController(ctx, r)
}

func replicas(wanted *int32) int32 {
	if wanted == nil {
		return 0
	}
	return *wanted
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }
