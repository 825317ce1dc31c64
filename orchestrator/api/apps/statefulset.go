package apps

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// StatefulSet is the catalogue entry of statefulsets.
func StatefulSet() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: appsv1.GroupName, Kind: "StatefulSet", Resource: "statefulsets", Singular: "statefulset",
			ShortNames: []string{"sts"}, Categories: []string{"all"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &appsv1.StatefulSet{}, &appsv1.StatefulSetList{})},
		Storage:    kind.Stored("statefulsets", appsv1.SchemeGroupVersion, &appsv1.StatefulSet{}),
		Columns:    kind.Table("Name;Ready;Age;Containers*;Images*", docs),
		Cells: kind.Cells(func(s *appsv1.StatefulSet, now time.Time) []any {
			names, images := podspec.Summary(&s.Spec.Template.Spec)
			return []any{s.Name, fmt.Sprintf("%d/%d", s.Status.ReadyReplicas, replicas(s.Spec.Replicas)), kind.Age(s, now), names, images}
		}),
		Rules: kind.Typed[*appsv1.StatefulSet]{
			Default:             defaultStatefulSet,
			PrepareCreate:       func(_ context.Context, s *appsv1.StatefulSet) { s.Status = appsv1.StatefulSetStatus{} },
			PrepareUpdate:       func(_ context.Context, s, old *appsv1.StatefulSet) { s.Status = old.Status },
			ValidateCreate:      validateStatefulSet,
			ValidateUpdate:      validateStatefulSetUpdate,
			Generation:          func(s, old *appsv1.StatefulSet) bool { return !equality.Semantic.DeepEqual(s.Spec, old.Spec) },
			Warnings:            kind.WarnOnChange(func(o *appsv1.StatefulSet) []string { return templateWarnings(&o.Spec.Template) }),
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.StatusKept(func(s, old *appsv1.StatefulSet) { s.Spec = old.Spec }),
			"scale": kind.Scaled(kind.Scale{
				Get: func(parent kind.Object) (int32, int32, string) {
					s := parent.(*appsv1.StatefulSet)
					return replicas(s.Spec.Replicas), s.Status.Replicas, scaleSelector(s.Spec.Selector)
				},
				Set: func(parent kind.Object, wanted int32) { parent.(*appsv1.StatefulSet).Spec.Replicas = &wanted },
			}),
		},
	}
}

func defaultStatefulSet(s *appsv1.StatefulSet) {
	podspec.DefaultTemplate(&s.Spec.Template)
	if s.Spec.PodManagementPolicy == "" {
		s.Spec.PodManagementPolicy = appsv1.OrderedReadyPodManagement
	}
	strategy := &s.Spec.UpdateStrategy
	if strategy.Type == "" {
		strategy.Type = appsv1.RollingUpdateStatefulSetStrategyType
	}
	if strategy.Type == appsv1.RollingUpdateStatefulSetStrategyType {
		if strategy.RollingUpdate == nil {
			strategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{}
		}
		set(&strategy.RollingUpdate.Partition, 0)
		set(&strategy.RollingUpdate.MaxUnavailable, intstr.FromInt32(1))
	}
	if s.Spec.PersistentVolumeClaimRetentionPolicy == nil {
		s.Spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{}
	}
	retention := s.Spec.PersistentVolumeClaimRetentionPolicy
	if retention.WhenDeleted == "" {
		retention.WhenDeleted = appsv1.RetainPersistentVolumeClaimRetentionPolicyType
	}
	if retention.WhenScaled == "" {
		retention.WhenScaled = appsv1.RetainPersistentVolumeClaimRetentionPolicyType
	}
	set(&s.Spec.Replicas, 1)
	set(&s.Spec.RevisionHistoryLimit, 10)
	for i := range s.Spec.VolumeClaimTemplates {
		claim := &s.Spec.VolumeClaimTemplates[i]
		// Stock writes the kind of claims inside a set, as it once did.
		claim.APIVersion, claim.Kind = "v1", "PersistentVolumeClaim"
		podspec.DefaultClaim(&claim.Spec)
		if claim.Status.Phase == "" {
			claim.Status.Phase = corev1.ClaimPending
		}
	}
}
