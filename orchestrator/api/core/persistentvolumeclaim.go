package core

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

var claimDocs = map[string]string{
	"Status":                corev1.PersistentVolumeClaimStatus{}.SwaggerDoc()["phase"],
	"Volume":                corev1.PersistentVolumeClaimSpec{}.SwaggerDoc()["volumeName"],
	"Capacity":              corev1.PersistentVolumeClaimStatus{}.SwaggerDoc()["capacity"],
	"Access Modes":          corev1.PersistentVolumeClaimStatus{}.SwaggerDoc()["accessModes"],
	"StorageClass":          "StorageClass of the pvc",
	"VolumeAttributesClass": "VolumeAttributesClass of the pvc",
	"VolumeMode":            corev1.PersistentVolumeClaimSpec{}.SwaggerDoc()["volumeMode"],
}

// PersistentVolumeClaim is the catalogue entry of persistentvolumeclaims.
func PersistentVolumeClaim() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Kind: "PersistentVolumeClaim", Resource: "persistentvolumeclaims", Singular: "persistentvolumeclaim",
			ShortNames: []string{"pvc"}},
		Namespaced: true,
		Returned:   true,
		Versions:   []kind.Version{kind.Served("v1", &corev1.PersistentVolumeClaim{}, &corev1.PersistentVolumeClaimList{})},
		Storage:    kind.Stored("persistentvolumeclaims", corev1.SchemeGroupVersion, &corev1.PersistentVolumeClaim{}),
		Columns:    kind.Table("Name;Status;Volume;Capacity;Access Modes;StorageClass;VolumeAttributesClass;Age;VolumeMode*", claimDocs),
		Cells:      kind.Cells(claimCells),
		Rules: kind.Typed[*corev1.PersistentVolumeClaim]{
			Default: func(c *corev1.PersistentVolumeClaim) {
				if c.Status.Phase == "" {
					c.Status.Phase = corev1.ClaimPending
				}
				podspec.DefaultClaim(&c.Spec)
				agreeOnSource(&c.Spec)
			},
			PrepareCreate: func(_ context.Context, c *corev1.PersistentVolumeClaim) {
				c.Status = corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}
			},
			PrepareUpdate:       func(_ context.Context, c, old *corev1.PersistentVolumeClaim) { c.Status = old.Status },
			ValidateCreate:      func(_ context.Context, c *corev1.PersistentVolumeClaim) field.ErrorList { return validateClaim(c) },
			ValidateUpdate:      validateClaimUpdate,
			Warnings:            claimWarnings,
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.Status(kind.Typed[*corev1.PersistentVolumeClaim]{
				PrepareUpdate: func(_ context.Context, c, old *corev1.PersistentVolumeClaim) { c.Spec = old.Spec },
			}.Rules()),
		},
	}
}

func claimCells(c *corev1.PersistentVolumeClaim, now time.Time) []any {
	phase := string(c.Status.Phase)
	if c.DeletionTimestamp != nil {
		phase = "Terminating"
	}
	capacity, modes := "", ""
	if c.Spec.VolumeName != "" {
		amount := c.Status.Capacity[corev1.ResourceStorage]
		capacity, modes = amount.String(), accessModes(c.Status.AccessModes)
	}
	class := c.Annotations[corev1.BetaStorageClassAnnotation]
	if class == "" && c.Spec.StorageClassName != nil {
		class = *c.Spec.StorageClassName
	}
	return []any{c.Name, phase, c.Spec.VolumeName, capacity, modes, class, attributesClass(c.Spec.VolumeAttributesClassName),
		kind.Age(c, now), volumeMode(c.Spec.VolumeMode)}
}

func validateClaim(c *corev1.PersistentVolumeClaim) field.ErrorList {
	return ValidateClaimSpec(&c.Spec, field.NewPath("spec"))
}

// validateClaimUpdate lets a bound claim grow and an unbound one be bound; all else is fixed.
func validateClaimUpdate(_ context.Context, c, old *corev1.PersistentVolumeClaim) field.ErrorList {
	errs := validateClaim(c)
	want := old.Spec.DeepCopy()
	if want.VolumeName == "" {
		want.VolumeName = c.Spec.VolumeName
	}
	want.VolumeAttributesClassName = c.Spec.VolumeAttributesClassName
	if old.Status.Phase == corev1.ClaimBound {
		want.Resources.Requests = c.Spec.Resources.Requests
	}
	if want.StorageClassName == nil {
		want.StorageClassName = c.Spec.StorageClassName
	}
	if !equality.Semantic.DeepEqual(&c.Spec, want) {
		errs = append(errs, field.Forbidden(field.NewPath("spec"),
			"spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"))
	}
	return append(errs, apivalidation.ValidateImmutableField(c.Spec.VolumeMode, old.Spec.VolumeMode, field.NewPath("volumeMode"))...)
}
