package apps

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
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
			errs = append(errs, field.Invalid(path.Child("rollingUpdate"), strategy.RollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"))
		}
	case appsv1.RollingUpdateStatefulSetStrategyType:
		if r := strategy.RollingUpdate; r != nil {
			errs = append(errs, validation.ValidateNonnegativeField(int64(replicas(r.Partition)), path.Child("rollingUpdate", "partition"))...)
			errs = append(errs, validateAmount(r.MaxUnavailable, path.Child("rollingUpdate", "maxUnavailable"))...)
		}
	default:
		errs = append(errs, field.Invalid(path, *strategy, "must be 'RollingUpdate' or 'OnDelete'"))
	}
	errs = append(errs, validation.ValidateNonnegativeField(int64(replicas(s.Spec.Replicas)), specPath.Child("replicas"))...)
	errs = append(errs, validation.ValidateNonnegativeField(int64(s.Spec.MinReadySeconds), specPath.Child("minReadySeconds"))...)
	return append(errs, validateSelected(s.Spec.Selector, &s.Spec.Template)...)
}

// validateStatefulSetUpdate lets only the fields change that the message names.
func validateStatefulSetUpdate(ctx context.Context, s, old *appsv1.StatefulSet) field.ErrorList {
	errs := validateStatefulSet(ctx, s)
	kept := s.Spec.DeepCopy()
	was := &old.Spec
	kept.Replicas, kept.Template, kept.UpdateStrategy = was.Replicas, was.Template, was.UpdateStrategy
	kept.MinReadySeconds, kept.Ordinals, kept.RevisionHistoryLimit = was.MinReadySeconds, was.Ordinals, was.RevisionHistoryLimit
	kept.PersistentVolumeClaimRetentionPolicy = was.PersistentVolumeClaimRetentionPolicy
	if !equality.Semantic.DeepEqual(kept, was) {
		errs = append(errs, field.Forbidden(specPath, "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "+
			"'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"))
	}
	return errs
}
