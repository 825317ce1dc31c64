package core

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

func validatePod(_ context.Context, p *corev1.Pod) field.ErrorList {
	errs := podspec.ValidateNew(p)
	if len(p.Spec.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(field.NewPath("spec", "ephemeralContainers"), "cannot be set on create"))
	}
	return errs
}

func validatePodUpdate(_ context.Context, p, old *corev1.Pod) field.ErrorList {
	return podspec.ValidateUpdate(p, old)
}

func validatePodStatus(_ context.Context, p, old *corev1.Pod) field.ErrorList {
	return podspec.ValidateStatus(p, old)
}

func validateEphemeralUpdate(_ context.Context, p, old *corev1.Pod) field.ErrorList {
	return podspec.ValidateEphemeral(p, old)
}

func validateResize(_ context.Context, p, old *corev1.Pod) field.ErrorList {
	return podspec.ValidateResize(p, old)
}
