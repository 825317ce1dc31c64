package storage

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// StorageClass is the catalogue entry of storageclasses.
func StorageClass() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: storagev1.GroupName, Kind: "StorageClass", Resource: "storageclasses", Singular: "storageclass",
			ShortNames: []string{"sc"}},
		Returned: true,
		Versions: []kind.Version{kind.Served("v1", &storagev1.StorageClass{}, &storagev1.StorageClassList{})},
		Storage:  kind.Stored("storageclasses", storagev1.SchemeGroupVersion, &storagev1.StorageClass{}),
		Columns:  kind.Table("Name;Provisioner;ReclaimPolicy;VolumeBindingMode;AllowVolumeExpansion;Age", nil),
		Cells: kind.Cells(func(c *storagev1.StorageClass, now time.Time) []any {
			name := c.Name
			if c.Annotations["storageclass.kubernetes.io/is-default-class"] == "true" {
				name += " (default)"
			}
			return []any{name, c.Provisioner, string(value(c.ReclaimPolicy)), string(value(c.VolumeBindingMode)),
				value(c.AllowVolumeExpansion), kind.Age(c, now)}
		}),
		Rules: kind.Typed[*storagev1.StorageClass]{
			Default: func(c *storagev1.StorageClass) {
				set(&c.ReclaimPolicy, corev1.PersistentVolumeReclaimDelete)
				set(&c.VolumeBindingMode, storagev1.VolumeBindingImmediate)
			},
			ValidateCreate:      validateClass,
			ValidateUpdate:      validateClassUpdate,
			Warnings:            classWarnings,
			UnconditionalUpdate: true,
		}.Rules(),
	}
}

// CSIDriver is the catalogue entry of csidrivers.
func CSIDriver() kind.Kind {
	return kind.Kind{
		Names:    kind.Names{Group: storagev1.GroupName, Kind: "CSIDriver", Resource: "csidrivers", Singular: "csidriver"},
		Returned: true,
		Versions: []kind.Version{kind.Served("v1", &storagev1.CSIDriver{}, &storagev1.CSIDriverList{})},
		Storage:  kind.Stored("csidrivers", storagev1.SchemeGroupVersion, &storagev1.CSIDriver{}),
		Columns: kind.Table("Name;AttachRequired:boolean;PodInfoOnMount:boolean;StorageCapacity:boolean;TokenRequests;"+
			"RequiresRepublish:boolean;Modes;Age", nil),
		Cells: kind.Cells(func(d *storagev1.CSIDriver, now time.Time) []any {
			var audiences, modes []string
			for _, t := range d.Spec.TokenRequests {
				audiences = append(audiences, t.Audience)
			}
			for _, m := range d.Spec.VolumeLifecycleModes {
				modes = append(modes, string(m))
			}
			tokens := "<unset>"
			if len(audiences) > 0 {
				tokens = strings.Join(audiences, ",")
			}
			return []any{d.Name, value(d.Spec.AttachRequired), value(d.Spec.PodInfoOnMount), value(d.Spec.StorageCapacity), tokens,
				value(d.Spec.RequiresRepublish), strings.Join(modes, ","), kind.Age(d, now)}
		}),
		Rules: kind.Typed[*storagev1.CSIDriver]{Default: defaultDriver, ValidateCreate: validateDriver, ValidateUpdate: validateDriverUpdate}.Rules(),
	}
}

func defaultDriver(d *storagev1.CSIDriver) {
	set(&d.Spec.AttachRequired, true)
	set(&d.Spec.PodInfoOnMount, false)
	set(&d.Spec.StorageCapacity, false)
	set(&d.Spec.FSGroupPolicy, storagev1.ReadWriteOnceWithFSTypeFSGroupPolicy)
	set(&d.Spec.RequiresRepublish, false)
	set(&d.Spec.SELinuxMount, false)
	set(&d.Spec.PreventPodSchedulingIfMissing, false)
	if len(d.Spec.VolumeLifecycleModes) == 0 {
		d.Spec.VolumeLifecycleModes = []storagev1.VolumeLifecycleMode{storagev1.VolumeLifecyclePersistent}
	}
}

// CSINode is the catalogue entry of csinodes.
func CSINode() kind.Kind {
	return kind.Kind{
		Names:    kind.Names{Group: storagev1.GroupName, Kind: "CSINode", Resource: "csinodes", Singular: "csinode"},
		Returned: true,
		Versions: []kind.Version{kind.Served("v1", &storagev1.CSINode{}, &storagev1.CSINodeList{})},
		Storage:  kind.Stored("csinodes", storagev1.SchemeGroupVersion, &storagev1.CSINode{}),
		Columns:  kind.Table("Name;Drivers:integer;Age", nil),
		Cells: kind.Cells(func(n *storagev1.CSINode, now time.Time) []any {
			return []any{n.Name, int64(len(n.Spec.Drivers)), kind.Age(n, now)}
		}),
		Rules: kind.Typed[*storagev1.CSINode]{ValidateCreate: validateNode, ValidateUpdate: validateNodeUpdate}.Rules(),
	}
}

// VolumeAttachment is the catalogue entry of volumeattachments.
func VolumeAttachment() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: storagev1.GroupName, Kind: "VolumeAttachment", Resource: "volumeattachments",
			Singular: "volumeattachment"},
		Returned: true,
		Versions: []kind.Version{kind.Served("v1", &storagev1.VolumeAttachment{}, &storagev1.VolumeAttachmentList{})},
		Storage:  kind.Stored("volumeattachments", storagev1.SchemeGroupVersion, &storagev1.VolumeAttachment{}),
		Columns:  kind.Table("Name;Attacher;PV;Node;Attached:boolean;Age", nil),
		Cells: kind.Cells(func(a *storagev1.VolumeAttachment, now time.Time) []any {
			return []any{a.Name, a.Spec.Attacher, value(a.Spec.Source.PersistentVolumeName), a.Spec.NodeName, a.Status.Attached, kind.Age(a, now)}
		}),
		Rules: kind.Typed[*storagev1.VolumeAttachment]{
			PrepareCreate:  func(_ context.Context, a *storagev1.VolumeAttachment) { a.Status = storagev1.VolumeAttachmentStatus{} },
			PrepareUpdate:  func(_ context.Context, a, old *storagev1.VolumeAttachment) { a.Status = old.Status },
			ValidateCreate: validateAttachment, ValidateUpdate: validateAttachmentUpdate,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.StatusKept(func(a, old *storagev1.VolumeAttachment) {
				a.Spec = old.Spec
				metav1.ResetObjectMetaForStatus(&a.ObjectMeta, &old.ObjectMeta)
			}, "metadata", "spec"),
		},
	}
}

// CSIStorageCapacity is the catalogue entry of csistoragecapacities.
func CSIStorageCapacity() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: storagev1.GroupName, Kind: "CSIStorageCapacity", Resource: "csistoragecapacities",
			Singular: "csistoragecapacity"},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &storagev1.CSIStorageCapacity{}, &storagev1.CSIStorageCapacityList{})},
		Storage:    kind.Stored("csistoragecapacities", storagev1.SchemeGroupVersion, &storagev1.CSIStorageCapacity{}),
		Columns:    kind.Table("Name;Created At:date", nil),
		Cells: kind.Cells(func(c *storagev1.CSIStorageCapacity, _ time.Time) []any {
			return []any{c.Name, c.CreationTimestamp.UTC().Format(time.RFC3339)}
		}),
		Rules: kind.Typed[*storagev1.CSIStorageCapacity]{
			ValidateCreate: validateCapacity, ValidateUpdate: validateCapacityUpdate, UnconditionalUpdate: true,
		}.Rules(),
	}
}

func set[T any](at **T, v T) {
	if *at == nil {
		*at = &v
	}
}

func value[T any](at *T) T {
	if at == nil {
		var zero T
		return zero
	}
	return *at
}

// classWarnings are about labels of nodes that have another name now.
func classWarnings(_ context.Context, c, _ *storagev1.StorageClass) []string {
	var all []string
	for i, topology := range c.AllowedTopologies {
		for j, r := range topology.MatchLabelExpressions {
			if text := podspec.DeprecatedLabel(r.Key); text != "" {
				all = append(all, fmt.Sprintf("allowedTopologies[%d].matchLabelExpressions[%d].key: %s", i, j, text))
			}
		}
	}
	return all
}
