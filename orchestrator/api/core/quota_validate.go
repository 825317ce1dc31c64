package core

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

func validateQuota(_ context.Context, q *corev1.ResourceQuota) field.ErrorList {
	var errs field.ErrorList
	path := field.NewPath("spec", "hard")
	for name, amount := range q.Spec.Hard {
		if amount.Sign() < 0 {
			errs = append(errs, field.Invalid(path.Key(string(name)), amount.String(), "must be greater than or equal to 0"))
		}
	}
	return errs
}

// validateQuotaUpdate keeps the scopes: usage is counted by them.
func validateQuotaUpdate(ctx context.Context, q, old *corev1.ResourceQuota) field.ErrorList {
	errs := validateQuota(ctx, q)
	if !equality.Semantic.DeepEqual(q.Spec.Scopes, old.Spec.Scopes) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "scopes"), q.Spec.Scopes, "field is immutable"))
	}
	return errs
}

func validateLimitRange(_ context.Context, l *corev1.LimitRange) field.ErrorList {
	var errs field.ErrorList
	seen := map[corev1.LimitType]bool{}
	for i := range l.Spec.Limits {
		item, path := &l.Spec.Limits[i], field.NewPath("spec", "limits").Index(i)
		for _, msg := range utilvalidation.IsQualifiedName(string(item.Type)) {
			errs = append(errs, field.Invalid(path.Child("type"), item.Type, msg))
		}
		if seen[item.Type] {
			errs = append(errs, field.Duplicate(path.Child("type"), item.Type))
		}
		seen[item.Type] = true
		errs = append(errs, validateLimitItem(item, path)...)
	}
	return errs
}

func validateLimitItem(item *corev1.LimitRangeItem, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if item.Type == corev1.LimitTypePod {
		if len(item.Default) > 0 {
			errs = append(errs, field.Forbidden(path.Child("default"), "may not be specified when `type` is 'Pod'"))
		}
		if len(item.DefaultRequest) > 0 {
			errs = append(errs, field.Forbidden(path.Child("defaultRequest"), "may not be specified when `type` is 'Pod'"))
		}
	}
	if item.Type == corev1.LimitTypePersistentVolumeClaim {
		_, low := item.Min[corev1.ResourceStorage]
		_, high := item.Max[corev1.ResourceStorage]
		if !low && !high {
			errs = append(errs, field.Required(path.Child("limits"), "either minimum or maximum storage value is required, but neither was provided"))
		}
	}
	order := []struct {
		low, high         corev1.ResourceList
		lowName, highName string
		at                string
	}{
		{item.Min, item.Max, "min", "max", "min"},
		{item.Min, item.DefaultRequest, "min", "default request", "defaultRequest"},
		{item.Min, item.Default, "min", "default", "default"},
		{item.DefaultRequest, item.Max, "default request", "max", "defaultRequest"},
		{item.DefaultRequest, item.Default, "default request", "default limit", "defaultRequest"},
		{item.Default, item.Max, "default", "max", "default"},
	}
	for _, o := range order {
		for _, name := range podspec.SortedNames(o.low) {
			low := o.low[name]
			if high, has := o.high[name]; has && low.Cmp(high) > 0 {
				shown := low
				if o.highName == "max" && o.at == "default" || o.at == "defaultRequest" && o.lowName == "min" {
					shown = high
				}
				errs = append(errs, field.Invalid(path.Child(o.at).Key(string(name)), shown.String(),
					o.lowName+" value "+low.String()+" is greater than "+o.highName+" value "+high.String()))
			}
		}
	}
	for _, name := range podspec.SortedNames(item.MaxLimitRequestRatio) {
		if ratio := item.MaxLimitRequestRatio[name]; ratio.Cmp(resource.MustParse("1")) < 0 {
			errs = append(errs, field.Invalid(path.Child("maxLimitRequestRatio").Key(string(name)), ratio.String(), "ratio "+ratio.String()+" is less than 1"))
		}
	}
	return errs
}

func validateLimitRangeUpdate(ctx context.Context, l, _ *corev1.LimitRange) field.ErrorList {
	return validateLimitRange(ctx, l)
}
