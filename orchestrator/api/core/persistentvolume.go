package core

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// PersistentVolume is the catalogue entry of persistentvolumes.
func PersistentVolume() kind.Kind {
	return kind.Kind{
		Names:    kind.Names{Kind: "PersistentVolume", Resource: "persistentvolumes", Singular: "persistentvolume", ShortNames: []string{"pv"}},
		Returned: true,
		Versions: []kind.Version{kind.Served("v1", &corev1.PersistentVolume{}, &corev1.PersistentVolumeList{})},
		Storage:  kind.Stored("persistentvolumes", corev1.SchemeGroupVersion, &corev1.PersistentVolume{}),
		Columns: kind.Table("Name;Capacity;Access Modes;Reclaim Policy;Status;Claim;StorageClass;VolumeAttributesClass;Reason;Age;VolumeMode*",
			volumeDocs),
		Cells: kind.Cells(volumeCells),
		Rules: kind.Typed[*corev1.PersistentVolume]{
			Default: func(v *corev1.PersistentVolume) {
				if v.Status.Phase == "" {
					v.Status.Phase = corev1.VolumePending
				}
				if v.Spec.PersistentVolumeReclaimPolicy == "" {
					v.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimRetain
				}
				if v.Spec.VolumeMode == nil {
					v.Spec.VolumeMode = ptr(corev1.PersistentVolumeFilesystem)
				}
				if h := v.Spec.HostPath; h != nil && h.Type == nil {
					h.Type = ptr(corev1.HostPathUnset)
				}
			},
			PrepareCreate: func(_ context.Context, v *corev1.PersistentVolume) {
				now := metav1.Now()
				v.Status = corev1.PersistentVolumeStatus{Phase: corev1.VolumePending, LastPhaseTransitionTime: &now}
			},
			PrepareUpdate:  func(_ context.Context, v, old *corev1.PersistentVolume) { v.Status = old.Status },
			ValidateCreate: func(_ context.Context, v *corev1.PersistentVolume) field.ErrorList { return validateVolume(v) },
			ValidateUpdate: func(_ context.Context, v, old *corev1.PersistentVolume) field.ErrorList {
				return validateVolumeUpdate(v, old)
			},
			Warnings:            volumeWarnings,
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.Status(kind.Typed[*corev1.PersistentVolume]{
				PrepareUpdate: func(_ context.Context, v, old *corev1.PersistentVolume) {
					v.Spec = old.Spec
					if v.Status.Phase != old.Status.Phase && v.Status.LastPhaseTransitionTime.Equal(old.Status.LastPhaseTransitionTime) {
						now := metav1.Now()
						v.Status.LastPhaseTransitionTime = &now
					}
				},
			}.Rules()),
		},
	}
}

var volumeDocs = map[string]string{
	"Capacity":              corev1.PersistentVolumeSpec{}.SwaggerDoc()["capacity"],
	"Access Modes":          corev1.PersistentVolumeSpec{}.SwaggerDoc()["accessModes"],
	"Reclaim Policy":        corev1.PersistentVolumeSpec{}.SwaggerDoc()["persistentVolumeReclaimPolicy"],
	"Status":                corev1.PersistentVolumeStatus{}.SwaggerDoc()["phase"],
	"Claim":                 corev1.PersistentVolumeSpec{}.SwaggerDoc()["claimRef"],
	"StorageClass":          "StorageClass of the pv",
	"VolumeAttributesClass": "VolumeAttributesClass of the pv",
	"Reason":                corev1.PersistentVolumeStatus{}.SwaggerDoc()["reason"],
	"VolumeMode":            corev1.PersistentVolumeSpec{}.SwaggerDoc()["volumeMode"],
}

func volumeCells(v *corev1.PersistentVolume, now time.Time) []any {
	claim := ""
	if v.Spec.ClaimRef != nil {
		claim = v.Spec.ClaimRef.Namespace + "/" + v.Spec.ClaimRef.Name
	}
	phase := string(v.Status.Phase)
	if v.DeletionTimestamp != nil {
		phase = "Terminating"
	}
	capacity := v.Spec.Capacity[corev1.ResourceStorage]
	class := v.Annotations[corev1.BetaStorageClassAnnotation]
	if class == "" {
		class = v.Spec.StorageClassName
	}
	return []any{v.Name, capacity.String(), accessModes(v.Spec.AccessModes), string(v.Spec.PersistentVolumeReclaimPolicy), phase, claim, class,
		attributesClass(v.Spec.VolumeAttributesClassName), v.Status.Reason, kind.Age(v, now), volumeMode(v.Spec.VolumeMode)}
}

func attributesClass(name *string) string {
	if name == nil || *name == "" {
		return "<unset>"
	}
	return *name
}

func volumeMode(mode *corev1.PersistentVolumeMode) string {
	if mode == nil {
		return "<unset>"
	}
	return string(*mode)
}

// accessModes abbreviates the modes, each once and in one order.
func accessModes(modes []corev1.PersistentVolumeAccessMode) string {
	has := map[corev1.PersistentVolumeAccessMode]bool{}
	for _, m := range modes {
		has[m] = true
	}
	var short []string
	for _, m := range []struct {
		mode corev1.PersistentVolumeAccessMode
		name string
	}{
		{corev1.ReadWriteOnce, "RWO"}, {corev1.ReadOnlyMany, "ROX"}, {corev1.ReadWriteMany, "RWX"}, {corev1.ReadWriteOncePod, "RWOP"},
	} {
		if has[m.mode] {
			short = append(short, m.name)
		}
	}
	return strings.Join(short, ",")
}
