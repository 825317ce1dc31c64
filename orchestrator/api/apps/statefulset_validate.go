package apps

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

func validateStatefulSet(_ context.Context, s *appsv1.StatefulSet) field.ErrorList {
	var errs field.ErrorList
	switch s.Spec.PodManagementPolicy {
	case appsv1.OrderedReadyPodManagement, appsv1.ParallelPodManagement:
	default:
		errs = append(errs, field.Invalid(specPath.Child("podManagementPolicy"), s.Spec.PodManagementPolicy,
			`must be 'OrderedReady' or 'Parallel'`))
	}
	strategy, path := &s.Spec.UpdateStrategy, specPath.Child("updateStrategy")
	switch strategy.Type {
	case appsv1.OnDeleteStatefulSetStrategyType:
		if strategy.RollingUpdate != nil {
			errs = append(errs, field.Invalid(path.Child("rollingUpdate"), kind.Untagged(internalRolling(strategy.RollingUpdate)), "only allowed for updateStrategy 'RollingUpdate'"))
		}
	case appsv1.RollingUpdateStatefulSetStrategyType:
		if r := strategy.RollingUpdate; r != nil {
			errs = append(errs, validation.ValidateNonnegativeField(int64(replicas(r.Partition)), path.Child("rollingUpdate", "partition"))...)
			errs = append(errs, validateAmount(r.MaxUnavailable, path.Child("rollingUpdate", "maxUnavailable"))...)
			if r.MaxUnavailable != nil && amount(r.MaxUnavailable) == 0 {
				errs = append(errs, field.Invalid(path.Child("rollingUpdate", "maxUnavailable"), *r.MaxUnavailable, "cannot be 0"))
			}
		}
	default:
		errs = append(errs, field.Invalid(path, kind.Untagged(*strategy), "must be 'RollingUpdate' or 'OnDelete'"))
	}
	errs = append(errs, validation.ValidateNonnegativeField(int64(replicas(s.Spec.Replicas)), specPath.Child("replicas"))...)
	errs = append(errs, validation.ValidateNonnegativeField(int64(s.Spec.MinReadySeconds), specPath.Child("minReadySeconds"))...)
	errs = append(errs, validateIdentity(&s.Spec)...)
	return append(errs, validateSelected("statefulset", s.Spec.Selector, &s.Spec.Template)...)
}

// validateStatefulSetUpdate lets only the fields change that the message names.
func validateStatefulSetUpdate(ctx context.Context, s, old *appsv1.StatefulSet) field.ErrorList {
	errs := validateStatefulSet(ctx, s)
	fixed := validation.ValidateImmutableField(s.Spec.Selector, old.Spec.Selector, specPath.Child("selector"))
	fixed = append(fixed, validation.ValidateImmutableField(s.Spec.ServiceName, old.Spec.ServiceName, specPath.Child("serviceName"))...)
	fixed = append(fixed, validation.ValidateImmutableField(s.Spec.PodManagementPolicy, old.Spec.PodManagementPolicy, specPath.Child("podManagementPolicy"))...)
	if errs = append(errs, fixed...); len(fixed) > 0 {
		return errs
	}
	kept := s.Spec.DeepCopy()
	was := &old.Spec
	errs = append(errs, validation.ValidateImmutableField(s.Spec.ServiceName, was.ServiceName, specPath.Child("serviceName"))...)
	errs = append(errs, validation.ValidateImmutableField(s.Spec.PodManagementPolicy, was.PodManagementPolicy, specPath.Child("podManagementPolicy"))...)
	errs = append(errs, validation.ValidateImmutableField(s.Spec.Selector, was.Selector, specPath.Child("selector"))...)
	if !equality.Semantic.DeepEqual(s.Spec.VolumeClaimTemplates, was.VolumeClaimTemplates) {
		shown := make([]corev1.PersistentVolumeClaim, len(s.Spec.VolumeClaimTemplates))
		for i := range shown {
			shown[i] = s.Spec.VolumeClaimTemplates[i]
			shown[i].TypeMeta = metav1.TypeMeta{}
		}
		errs = append(errs, field.Invalid(specPath.Child("volumeClaimTemplates"), kind.Untagged(shown), "field is immutable"))
	}
	kept.ServiceName, kept.PodManagementPolicy, kept.Selector, kept.VolumeClaimTemplates = was.ServiceName, was.PodManagementPolicy, was.Selector, was.VolumeClaimTemplates
	kept.Replicas, kept.Template, kept.UpdateStrategy = was.Replicas, was.Template, was.UpdateStrategy
	kept.MinReadySeconds, kept.Ordinals, kept.RevisionHistoryLimit = was.MinReadySeconds, was.Ordinals, was.RevisionHistoryLimit
	kept.PersistentVolumeClaimRetentionPolicy = was.PersistentVolumeClaimRetentionPolicy
	if !equality.Semantic.DeepEqual(kept, was) {
		errs = append(errs, field.Forbidden(specPath, "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "+
			"'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"))
	}
	return errs
}

// internalRolling is the strategy as stock holds it: the partition is a number there, not a pointer.
func internalRolling(r *appsv1.RollingUpdateStatefulSetStrategy) any {
	return struct {
		Partition      int32
		MaxUnavailable any
	}{replicas(r.Partition), r.MaxUnavailable}
}

// validateIdentity: what the pods are called by, and what becomes of their claims.
func validateIdentity(s *appsv1.StatefulSetSpec) field.ErrorList {
	var errs field.ErrorList
	if s.ServiceName != "" {
		for _, msg := range utilvalidation.IsDNS1123Label(s.ServiceName) {
			errs = append(errs, field.Invalid(specPath.Child("serviceName"), s.ServiceName, msg))
		}
	}
	if s.Ordinals != nil {
		errs = append(errs, validation.ValidateNonnegativeField(int64(s.Ordinals.Start), specPath.Child("ordinals", "start"))...)
	}
	if p := s.PersistentVolumeClaimRetentionPolicy; p != nil {
		for _, part := range []struct {
			name string
			typ  appsv1.PersistentVolumeClaimRetentionPolicyType
		}{{"whenDeleted", p.WhenDeleted}, {"whenScaled", p.WhenScaled}} {
			if part.typ != appsv1.RetainPersistentVolumeClaimRetentionPolicyType && part.typ != appsv1.DeletePersistentVolumeClaimRetentionPolicyType {
				errs = append(errs, field.NotSupported(specPath.Child("persistentVolumeClaimRetentionPolicy", part.name), part.typ, []string{"Retain", "Delete"}))
			}
		}
	}
	return errs
}
