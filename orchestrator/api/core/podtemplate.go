package core

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// PodTemplate is the catalogue entry of podtemplates.
func PodTemplate() kind.Kind {
	return kind.Kind{
		Names:      kind.Names{Kind: "PodTemplate", Resource: "podtemplates", Singular: "podtemplate"},
		Namespaced: true,
		Returned:   true,
		Versions:   []kind.Version{kind.Served("v1", &corev1.PodTemplate{}, &corev1.PodTemplateList{})},
		Storage:    kind.Stored("podtemplates", corev1.SchemeGroupVersion, &corev1.PodTemplate{}),
		Columns:    kind.Table("Name;Containers;Images;Pod Labels", replicationDocs),
		Cells: kind.Cells(func(t *corev1.PodTemplate, _ time.Time) []any {
			names, images := podspec.Summary(&t.Template.Spec)
			return []any{t.Name, names, images, orNone(labels.Set(t.Template.Labels).String())}
		}),
		Rules: kind.Typed[*corev1.PodTemplate]{
			Default: func(t *corev1.PodTemplate) { podspec.DefaultTemplate(&t.Template) },
			ValidateCreate: func(_ context.Context, t *corev1.PodTemplate) field.ErrorList {
				return podspec.ValidateTemplate(&t.Template, field.NewPath("template"))
			},
			ValidateUpdate: func(_ context.Context, t, _ *corev1.PodTemplate) field.ErrorList {
				return podspec.ValidateTemplate(&t.Template, field.NewPath("template"))
			},
			Generation: func(t, old *corev1.PodTemplate) bool { return !equality.Semantic.DeepEqual(t.Template, old.Template) },
			Warnings: kind.WarnOnChange(func(t *corev1.PodTemplate) []string {
				return podspec.TemplateWarnings(&t.Template, field.NewPath("template"))
			}),
			UnconditionalUpdate: true,
		}.Rules(),
	}
}
