package core

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateService(_ context.Context, s *corev1.Service) field.ErrorList { return nil }

func validateServiceUpdate(ctx context.Context, s, old *corev1.Service) field.ErrorList {
	return validateService(ctx, s)
}
