package core

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

var replicationDocs = map[string]string{
	"Desired":    corev1.ReplicationControllerSpec{}.SwaggerDoc()["replicas"],
	"Current":    corev1.ReplicationControllerStatus{}.SwaggerDoc()["replicas"],
	"Ready":      corev1.ReplicationControllerStatus{}.SwaggerDoc()["readyReplicas"],
	"Containers": "Names of each container in the template.",
	"Images":     "Images referenced by each container in the template.",
	"Selector":   corev1.ReplicationControllerSpec{}.SwaggerDoc()["selector"],
}

// ReplicationController is the catalogue entry of replicationcontrollers. The first version's objects outlive orphaning by default.
func ReplicationController() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Kind: "ReplicationController", Resource: "replicationcontrollers", Singular: "replicationcontroller",
			ShortNames: []string{"rc"}, Categories: []string{"all"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &corev1.ReplicationController{}, &corev1.ReplicationControllerList{})},
		Storage:    kind.Stored("controllers", corev1.SchemeGroupVersion, &corev1.ReplicationController{}),
		Columns:    kind.Table("Name;Desired:integer;Current:integer;Ready:integer;Age;Containers*;Images*;Selector*", replicationDocs),
		Cells: kind.Cells(func(r *corev1.ReplicationController, now time.Time) []any {
			names, images := "", ""
			if r.Spec.Template != nil {
				names, images = podspec.Summary(&r.Spec.Template.Spec)
			}
			return []any{r.Name, int64(replicas(r.Spec.Replicas)), int64(r.Status.Replicas), int64(r.Status.ReadyReplicas), kind.Age(r, now),
				names, images, metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: r.Spec.Selector})}
		}),
		Fields: kind.Fields(func(r *corev1.ReplicationController) fields.Set {
			return fields.Set{"status.replicas": itoa(r.Status.Replicas)}
		}),
		Rules: kind.Typed[*corev1.ReplicationController]{
			Default: defaultReplicationController,
			PrepareCreate: func(_ context.Context, r *corev1.ReplicationController) {
				r.Status = corev1.ReplicationControllerStatus{}
			},
			PrepareUpdate:  func(_ context.Context, r, old *corev1.ReplicationController) { r.Status = old.Status },
			ValidateCreate: validateReplicationController,
			ValidateUpdate: validateReplicationControllerUpdate,
			Generation:     func(r, old *corev1.ReplicationController) bool { return !equality.Semantic.DeepEqual(r.Spec, old.Spec) },
			Warnings: kind.WarnOnChange(func(r *corev1.ReplicationController) []string {
				if r.Spec.Template == nil {
					return nil
				}
				return podspec.TemplateWarnings(r.Spec.Template, field.NewPath("spec", "template"))
			}),
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.Status(kind.Typed[*corev1.ReplicationController]{
				PrepareUpdate: func(_ context.Context, r, old *corev1.ReplicationController) { r.Spec = old.Spec },
			}.Rules()),
			"scale": kind.Scaled(kind.Scale{
				Get: func(parent kind.Object) (int32, int32, string) {
					r := parent.(*corev1.ReplicationController)
					return replicas(r.Spec.Replicas), r.Status.Replicas, labels.Set(r.Spec.Selector).String()
				},
				Set: func(parent kind.Object, wanted int32) { parent.(*corev1.ReplicationController).Spec.Replicas = &wanted },
			}),
		},
		DefaultPropagation: metav1.DeletePropagationOrphan,
	}
}

func defaultReplicationController(r *corev1.ReplicationController) {
	if r.Spec.Template != nil {
		if len(r.Spec.Selector) == 0 {
			r.Spec.Selector = r.Spec.Template.Labels
		}
		if len(r.Labels) == 0 {
			r.Labels = r.Spec.Template.Labels
		}
		podspec.DefaultTemplate(r.Spec.Template)
	}
	if r.Spec.Replicas == nil {
		r.Spec.Replicas = ptr(int32(1))
	}
}
