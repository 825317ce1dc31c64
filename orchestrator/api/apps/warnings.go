package apps

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

func templateWarnings(template *corev1.PodTemplateSpec) []string {
	return podspec.TemplateWarnings(template, field.NewPath("spec", "template"))
}

// deploymentWarnings are also about the name of a new one.
func deploymentWarnings(ctx context.Context, d, old *appsv1.Deployment) []string {
	var all []string
	if old == nil {
		all = podspec.WorkloadNameWarnings(d.Name)
	}
	return append(all, kind.WarnOnChange(func(d *appsv1.Deployment) []string { return templateWarnings(&d.Spec.Template) })(ctx, d, old)...)
}
