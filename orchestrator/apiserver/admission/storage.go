package admission

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// inUseProtection puts on every new claim and volume the finalizer that its protection controller takes away once nothing uses it.
type inUseProtection struct{ onlyAdmits }

// The finalizers of stock's protection controllers.
const (
	claimProtection  = "kubernetes.io/pvc-protection"
	volumeProtection = "kubernetes.io/pv-protection"
)

func (inUseProtection) Name() string { return "StorageObjectInUseProtection" }

func (inUseProtection) Handles(op Operation) bool { return op == Create }

func (inUseProtection) Admit(_ context.Context, a *Attributes) error {
	protect := func(finalizers *[]string, name string) {
		if !slices.Contains(*finalizers, name) {
			*finalizers = append(*finalizers, name)
		}
	}
	switch obj := a.Object.(type) {
	case *corev1.PersistentVolumeClaim:
		protect(&obj.Finalizers, claimProtection)
	case *corev1.PersistentVolume:
		protect(&obj.Finalizers, volumeProtection)
	}
	return nil
}

// defaultStorageClass gives a claim that names no class the default one.
type defaultStorageClass struct {
	onlyAdmits
	reader objects.Reader
}

var storageClasses = schema.GroupResource{Group: storagev1.GroupName, Resource: "storageclasses"}

// The annotations that make a class the default one, now and long ago.
var defaultClassMarks = []string{"storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"}

func (*defaultStorageClass) Name() string { return "DefaultStorageClass" }

func (*defaultStorageClass) Handles(op Operation) bool { return op == Create }

func (d *defaultStorageClass) Admit(ctx context.Context, a *Attributes) error {
	claim, ok := a.Object.(*corev1.PersistentVolumeClaim)
	if !ok || a.Subresource != "" {
		return nil
	}
	if _, old := claim.Annotations[corev1.BetaStorageClassAnnotation]; old || claim.Spec.StorageClassName != nil {
		return nil
	}
	list, err := d.reader.List(ctx, storageClasses, "", nil)
	if err != nil {
		return refuse(a, "%v", err)
	}
	var newest *storagev1.StorageClass
	for _, obj := range list {
		if class, ok := obj.(*storagev1.StorageClass); ok && marked(class.Annotations) && (newest == nil || preferred(class, newest)) {
			newest = class
		}
	}
	if newest != nil {
		claim.Spec.StorageClassName = &newest.Name
	}
	return nil
}

func marked(annotations map[string]string) bool {
	return slices.ContainsFunc(defaultClassMarks, func(mark string) bool { return annotations[mark] == "true" })
}

// preferred: of several default classes the one made last, then the first by name.
func preferred(a, b *storagev1.StorageClass) bool {
	if a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.Name < b.Name
	}
	return b.CreationTimestamp.Before(&a.CreationTimestamp)
}

// claimResize refuses to enlarge a claim that is not bound, or whose class does not allow it.
type claimResize struct {
	onlyValidates
	reader objects.Reader
}

func (*claimResize) Name() string { return "PersistentVolumeClaimResize" }

func (*claimResize) Handles(op Operation) bool { return op == Update }

func (c *claimResize) Validate(ctx context.Context, a *Attributes) error {
	claim, isNew := a.Object.(*corev1.PersistentVolumeClaim)
	old, isOld := a.Old.(*corev1.PersistentVolumeClaim)
	if !isNew || !isOld || a.Subresource != "" {
		return nil
	}
	wanted, had := claim.Spec.Resources.Requests[corev1.ResourceStorage], old.Spec.Resources.Requests[corev1.ResourceStorage]
	if wanted.Cmp(had) <= 0 {
		return nil
	}
	if old.Status.Phase != corev1.ClaimBound {
		return refuse(a, "Only bound persistent volume claims can be expanded")
	}
	name := ""
	if beta, ok := claim.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		name = beta
	} else if claim.Spec.StorageClassName != nil {
		name = *claim.Spec.StorageClassName
	}
	if name != "" {
		obj, err := freshly(ctx, c.reader, storageClasses, "", name)
		if class, ok := obj.(*storagev1.StorageClass); err == nil && ok && class.AllowVolumeExpansion != nil && *class.AllowVolumeExpansion {
			return nil
		}
	}
	return refuse(a, "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize")
}
