package apps

import (
	"context"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// ReplicaSet is the catalogue entry of replicasets.
func ReplicaSet() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: appsv1.GroupName, Kind: "ReplicaSet", Resource: "replicasets", Singular: "replicaset",
			ShortNames: []string{"rs"}, Categories: []string{"all"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &appsv1.ReplicaSet{}, &appsv1.ReplicaSetList{})},
		Storage:    kind.Stored("replicasets", appsv1.SchemeGroupVersion, &appsv1.ReplicaSet{}),
		Columns:    kind.Table("Name;Desired:integer;Current:integer;Ready:integer;Age;Containers*;Images*;Selector*", docs),
		Cells: kind.Cells(func(r *appsv1.ReplicaSet, now time.Time) []any {
			names, images := podspec.Summary(&r.Spec.Template.Spec)
			return []any{r.Name, int64(replicas(r.Spec.Replicas)), int64(r.Status.Replicas), int64(r.Status.ReadyReplicas), kind.Age(r, now),
				names, images, selectorText(r.Spec.Selector)}
		}),
		Fields: kind.Fields(func(r *appsv1.ReplicaSet) fields.Set {
			return fields.Set{"status.replicas": strconv.Itoa(int(r.Status.Replicas))}
		}),
		Rules: kind.Typed[*appsv1.ReplicaSet]{
			Default: func(r *appsv1.ReplicaSet) {
				podspec.DefaultTemplate(&r.Spec.Template)
				set(&r.Spec.Replicas, 1)
			},
			PrepareCreate:       func(_ context.Context, r *appsv1.ReplicaSet) { r.Status = appsv1.ReplicaSetStatus{} },
			PrepareUpdate:       func(_ context.Context, r, old *appsv1.ReplicaSet) { r.Status = old.Status },
			ValidateCreate:      validateReplicaSet,
			ValidateUpdate:      validateReplicaSetUpdate,
			Generation:          func(r, old *appsv1.ReplicaSet) bool { return !equality.Semantic.DeepEqual(r.Spec, old.Spec) },
			Warnings:            kind.WarnOnChange(func(o *appsv1.ReplicaSet) []string { return templateWarnings(&o.Spec.Template) }),
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.StatusKept(func(r, old *appsv1.ReplicaSet) { r.Spec = old.Spec }),
			"scale": kind.Scaled(kind.Scale{
				Get: func(parent kind.Object) (int32, int32, string) {
					r := parent.(*appsv1.ReplicaSet)
					return replicas(r.Spec.Replicas), r.Status.Replicas, scaleSelector(r.Spec.Selector)
				},
				Set: func(parent kind.Object, wanted int32) { parent.(*appsv1.ReplicaSet).Spec.Replicas = &wanted },
			}),
		},
	}
}
