package policy

import (
	"context"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// PodDisruptionBudget is the catalogue entry of poddisruptionbudgets.
func PodDisruptionBudget() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: policyv1.GroupName, Kind: "PodDisruptionBudget", Resource: "poddisruptionbudgets",
			Singular: "poddisruptionbudget", ShortNames: []string{"pdb"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &policyv1.PodDisruptionBudget{}, &policyv1.PodDisruptionBudgetList{})},
		Storage:    kind.Stored("poddisruptionbudgets", policyv1.SchemeGroupVersion, &policyv1.PodDisruptionBudget{}),
		Columns: kind.Table("Name;Min Available;Max Unavailable;Allowed Disruptions:integer;Age", map[string]string{
			"Min Available":       policyv1.PodDisruptionBudgetSpec{}.SwaggerDoc()["minAvailable"],
			"Max Unavailable":     policyv1.PodDisruptionBudgetSpec{}.SwaggerDoc()["maxUnavailable"],
			"Allowed Disruptions": policyv1.PodDisruptionBudgetStatus{}.SwaggerDoc()["disruptionsAllowed"],
		}),
		Cells: kind.Cells(func(b *policyv1.PodDisruptionBudget, now time.Time) []any {
			return []any{b.Name, text(b.Spec.MinAvailable), text(b.Spec.MaxUnavailable), int64(b.Status.DisruptionsAllowed), kind.Age(b, now)}
		}),
		Rules: kind.Typed[*policyv1.PodDisruptionBudget]{
			PrepareCreate: func(_ context.Context, b *policyv1.PodDisruptionBudget) {
				b.Status = policyv1.PodDisruptionBudgetStatus{}
			},
			PrepareUpdate:  func(_ context.Context, b, old *policyv1.PodDisruptionBudget) { b.Status = old.Status },
			ValidateCreate: func(_ context.Context, b *policyv1.PodDisruptionBudget) field.ErrorList { return validate(b) },
			ValidateUpdate: func(_ context.Context, b, _ *policyv1.PodDisruptionBudget) field.ErrorList { return validate(b) },
			Generation:     func(b, old *policyv1.PodDisruptionBudget) bool { return !equality.Semantic.DeepEqual(b.Spec, old.Spec) },
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.StatusKept(func(b, old *policyv1.PodDisruptionBudget) { b.Spec = old.Spec }),
		},
	}
}

func text(v *intstr.IntOrString) string {
	if v == nil {
		return "N/A"
	}
	return v.String()
}

func validate(b *policyv1.PodDisruptionBudget) field.ErrorList {
	path := field.NewPath("spec")
	var errs field.ErrorList
	if b.Spec.MinAvailable != nil && b.Spec.MaxUnavailable != nil {
		errs = append(errs, field.Invalid(path, b.Spec, "minAvailable and maxUnavailable cannot be both set"))
	}
	errs = append(errs, validateAmount(b.Spec.MinAvailable, path.Child("minAvailable"))...)
	errs = append(errs, validateAmount(b.Spec.MaxUnavailable, path.Child("maxUnavailable"))...)
	if b.Spec.Selector != nil {
		errs = append(errs, metavalidation.ValidateLabelSelector(b.Spec.Selector, metavalidation.LabelSelectorValidationOptions{}, path.Child("selector"))...)
	}
	if p := b.Spec.UnhealthyPodEvictionPolicy; p != nil && *p != policyv1.IfHealthyBudget && *p != policyv1.AlwaysAllow {
		errs = append(errs, field.NotSupported(path.Child("unhealthyPodEvictionPolicy"), *p,
			[]policyv1.UnhealthyPodEvictionPolicyType{policyv1.AlwaysAllow, policyv1.IfHealthyBudget}))
	}
	return errs
}

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
	if len(errs) == 0 {
		if n, err := intstr.GetScaledValueFromIntOrPercent(v, 100, false); err == nil && n > 100 {
			errs = append(errs, field.Invalid(path, v, "must not be greater than 100%"))
		}
	}
	return errs
}
