package podspec

import (
	"errors"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var errNoPages = errors.New("not huge pages of a size")

func validateResources(r *corev1.ResourceRequirements, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	limits, requests := path.Child("limits"), path.Child("requests")
	huge, plain := false, false
	for _, name := range SortedNames(r.Limits) {
		errs = append(errs, validateResourceName(name, limits.Key(string(name)))...)
		errs = append(errs, ValidateAmount(name, r.Limits[name], limits.Key(string(name)))...)
		huge, plain = huge || isHugePage(name), plain || name == corev1.ResourceCPU || name == corev1.ResourceMemory
	}
	for _, name := range SortedNames(r.Requests) {
		errs = append(errs, validateResourceName(name, requests.Key(string(name)))...)
		amount := r.Requests[name]
		errs = append(errs, ValidateAmount(name, amount, requests.Key(string(name)))...)
		limit, limited := r.Limits[name]
		switch {
		case limited && !overcommitted(name) && amount.Cmp(limit) != 0:
			errs = append(errs, field.Invalid(requests, amount.String(), "must be equal to "+string(name)+" limit of "+limit.String()))
		case limited && amount.Cmp(limit) > 0:
			errs = append(errs, field.Invalid(requests, amount.String(), "must be less than or equal to "+string(name)+" limit of "+limit.String()))
		case !limited && !overcommitted(name):
			errs = append(errs, field.Required(limits, "Limit must be set for non overcommitable resources"))
		}
		huge, plain = huge || isHugePage(name), plain || name == corev1.ResourceCPU || name == corev1.ResourceMemory
	}
	if huge && !plain {
		errs = append(errs, field.Forbidden(path, "HugePages require cpu or memory"))
	}
	return errs
}

// ValidateAmount returns what is wrong with an amount of a resource: none is negative, and what is counted comes in whole pieces.
func ValidateAmount(name corev1.ResourceName, amount resource.Quantity, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if amount.Sign() < 0 {
		errs = append(errs, field.Invalid(path, amount.String(), "must be greater than or equal to 0"))
	}
	if size, err := pageSize(name); err == nil && amount.Value()%size != 0 {
		errs = append(errs, field.Invalid(path, amount.String(), amount.String()+" is not positive integer multiple of "+string(name)))
	}
	if (name == corev1.ResourcePods || !isNative(name)) && amount.MilliValue()%1000 != 0 {
		errs = append(errs, field.Invalid(path, amount.String(), "must be an integer"))
	}
	return errs
}

// pageSize in bytes, of huge pages; an error for what is none.
func pageSize(name corev1.ResourceName) (int64, error) {
	text, is := strings.CutPrefix(string(name), corev1.ResourceHugePagesPrefix)
	if !is {
		return 0, errNoPages
	}
	size, err := resource.ParseQuantity(text)
	if err != nil || size.Value() <= 0 {
		return 0, errNoPages
	}
	return size.Value(), nil
}

func isNative(name corev1.ResourceName) bool {
	return !strings.Contains(string(name), "/") || strings.Contains(string(name), corev1.ResourceDefaultNamespacePrefix)
}

func isHugePage(name corev1.ResourceName) bool {
	return strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
}

// overcommitted resources may be limited above what is requested: the plain native ones.
func overcommitted(name corev1.ResourceName) bool {
	return isNative(name) && !isHugePage(name)
}

func validateResourceName(name corev1.ResourceName, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range utilvalidation.IsQualifiedName(string(name)) {
		errs = append(errs, field.Invalid(path, name, msg))
	}
	if strings.Contains(string(name), "/") || len(errs) > 0 || isHugePage(name) {
		return errs
	}
	switch name {
	case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
		return nil
	}
	return append(errs, field.Invalid(path, name, "must be a standard resource type or fully qualified"),
		field.Invalid(path, name, "must be a standard resource for containers"))
}
