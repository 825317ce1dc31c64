package core

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateNamespace(_ context.Context, n *corev1.Namespace) field.ErrorList {
	return validateFinalizerNames(n.Spec.Finalizers)
}

func validateNamespaceUpdate(_ context.Context, n, old *corev1.Namespace) field.ErrorList {
	return nil
}

// validateNamespaceStatus keeps phase and deletion in step.
func validateNamespaceStatus(_ context.Context, n, old *corev1.Namespace) field.ErrorList {
	path := field.NewPath("status", "phase")
	if n.DeletionTimestamp.IsZero() {
		if n.Status.Phase != corev1.NamespaceActive {
			return field.ErrorList{field.Invalid(path, n.Status.Phase, "may only be 'Active' if `deletionTimestamp` is empty")}
		}
	} else if n.Status.Phase != corev1.NamespaceTerminating {
		return field.ErrorList{field.Invalid(path, n.Status.Phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")}
	}
	return nil
}

func validateNamespaceFinalize(_ context.Context, n, old *corev1.Namespace) field.ErrorList {
	return validateFinalizerNames(n.Spec.Finalizers)
}

// validateFinalizerNames: qualified names, and unqualified ones only from the known few.
func validateFinalizerNames(names []corev1.FinalizerName) field.ErrorList {
	var errs field.ErrorList
	for i, name := range names {
		path := field.NewPath("spec", "finalizers").Index(i)
		for _, msg := range validation.IsQualifiedName(string(name)) {
			errs = append(errs, field.Invalid(path, name, msg))
		}
		if !strings.Contains(string(name), "/") && name != corev1.FinalizerKubernetes && name != "orphan" && name != "foregroundDeletion" {
			errs = append(errs, field.Invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified"))
		}
	}
	return errs
}
