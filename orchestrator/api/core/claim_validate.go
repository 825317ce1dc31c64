package core

import (
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateAccessModes: known ones, and ReadWriteOncePod only alone.
func validateAccessModes(modes []corev1.PersistentVolumeAccessMode, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	alone := false
	for _, mode := range modes {
		switch mode {
		case corev1.ReadWriteOnce, corev1.ReadOnlyMany, corev1.ReadWriteMany:
		case corev1.ReadWriteOncePod:
			alone = true
		default:
			errs = append(errs, field.NotSupported(path, mode, []corev1.PersistentVolumeAccessMode{"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"}))
		}
	}
	if alone && len(modes) > 1 {
		errs = append(errs, field.Forbidden(path, "may not use ReadWriteOncePod with other access modes"))
	}
	return errs
}

func validateVolumeMode(mode *corev1.PersistentVolumeMode, path *field.Path) field.ErrorList {
	if mode == nil || *mode == corev1.PersistentVolumeBlock || *mode == corev1.PersistentVolumeFilesystem {
		return nil
	}
	return field.ErrorList{field.NotSupported(path, *mode, []corev1.PersistentVolumeMode{"Block", "Filesystem"})}
}

func validateSubdomain(name string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range apivalidation.NameIsDNSSubdomain(name, false) {
		errs = append(errs, field.Invalid(path, name, msg))
	}
	return errs
}

// ValidateClaimSpec is also for the templates of a StatefulSet and of ephemeral volumes.
func ValidateClaimSpec(s *corev1.PersistentVolumeClaimSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.AccessModes) == 0 {
		errs = append(errs, field.Required(path.Child("accessModes"), "at least 1 access mode is required"))
	}
	if s.Selector != nil {
		errs = append(errs, metavalidation.ValidateLabelSelector(s.Selector, metavalidation.LabelSelectorValidationOptions{}, path.Child("selector"))...)
	}
	errs = append(errs, validateAccessModes(s.AccessModes, path.Child("accessModes"))...)
	size := path.Child("resources").Key(string(corev1.ResourceStorage))
	if amount, has := s.Resources.Requests[corev1.ResourceStorage]; !has {
		errs = append(errs, field.Required(size, ""))
	} else if amount.Sign() <= 0 {
		errs = append(errs, field.Invalid(size, amount.String(), "must be greater than zero"))
	}
	if s.StorageClassName != nil && *s.StorageClassName != "" {
		errs = append(errs, validateSubdomain(*s.StorageClassName, path.Child("storageClassName"))...)
	}
	errs = append(errs, validateVolumeMode(s.VolumeMode, path.Child("volumeMode"))...)
	if s.VolumeAttributesClassName != nil && *s.VolumeAttributesClassName != "" {
		errs = append(errs, validateSubdomain(*s.VolumeAttributesClassName, path.Child("volumeAttributesClassName"))...)
	}
	return append(errs, validateSources(s, path)...)
}

func validateSources(s *corev1.PersistentVolumeClaimSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	check := func(kind, name string, group *string, at *field.Path) {
		if name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		}
		if kind == "" {
			errs = append(errs, field.Required(at.Child("kind"), ""))
		}
		if (group == nil || *group == "") && kind != "PersistentVolumeClaim" {
			errs = append(errs, field.Invalid(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
		}
	}
	if d := s.DataSource; d != nil {
		check(d.Kind, d.Name, d.APIGroup, path.Child("dataSource"))
	}
	if d := s.DataSourceRef; d != nil {
		check(d.Kind, d.Name, d.APIGroup, path.Child("dataSourceRef"))
	}
	return errs
}

// agreeOnSource: dataSource and dataSourceRef say the same, whichever the client gave (KEP-1495). A dataSource of a kind that stock does not
// know there is dropped.
func agreeOnSource(s *corev1.PersistentVolumeClaimSpec) {
	if d := s.DataSource; d != nil && !knownSource(d) {
		s.DataSource = nil
	}
	switch {
	case s.DataSource != nil && s.DataSourceRef == nil:
		s.DataSourceRef = &corev1.TypedObjectReference{Kind: s.DataSource.Kind, Name: s.DataSource.Name, APIGroup: s.DataSource.APIGroup}
	case s.DataSourceRef != nil && s.DataSource == nil && (s.DataSourceRef.Namespace == nil || *s.DataSourceRef.Namespace == ""):
		s.DataSource = &corev1.TypedLocalObjectReference{Kind: s.DataSourceRef.Kind, Name: s.DataSourceRef.Name, APIGroup: s.DataSourceRef.APIGroup}
	}
}

func knownSource(d *corev1.TypedLocalObjectReference) bool {
	group := ""
	if d.APIGroup != nil {
		group = *d.APIGroup
	}
	return (d.Kind == "PersistentVolumeClaim" && group == "") || (d.Kind == "VolumeSnapshot" && group == "snapshot.storage.k8s.io")
}

func validateVolume(v *corev1.PersistentVolume) field.ErrorList {
	spec := field.NewPath("spec")
	var errs field.ErrorList
	if len(v.Spec.AccessModes) == 0 {
		errs = append(errs, field.Required(spec.Child("accessModes"), ""))
	}
	errs = append(errs, validateAccessModes(v.Spec.AccessModes, spec.Child("accessModes"))...)
	errs = append(errs, validateVolumeCapacity(v.Spec.Capacity, spec.Child("capacity"))...)
	switch p := v.Spec.PersistentVolumeReclaimPolicy; p {
	case corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeReclaimRecycle, corev1.PersistentVolumeReclaimRetain:
	default:
		errs = append(errs, field.NotSupported(spec.Child("persistentVolumeReclaimPolicy"), p, []corev1.PersistentVolumeReclaimPolicy{"Delete", "Recycle", "Retain"}))
	}
	errs = append(errs, validateVolumeNodes(v, spec.Child("nodeAffinity"))...)
	errs = append(errs, validateVolumeSource(v, spec)...)
	if v.Spec.StorageClassName != "" {
		errs = append(errs, validateSubdomain(v.Spec.StorageClassName, spec.Child("storageClassName"))...)
	}
	return append(errs, validateVolumeMode(v.Spec.VolumeMode, spec.Child("volumeMode"))...)
}

func validateVolumeCapacity(capacity corev1.ResourceList, path *field.Path) field.ErrorList {
	if len(capacity) == 0 {
		return field.ErrorList{field.Required(path, ""), field.NotSupported(path, capacity, []corev1.ResourceName{corev1.ResourceStorage})}
	}
	var errs field.ErrorList
	if _, has := capacity[corev1.ResourceStorage]; !has || len(capacity) > 1 {
		errs = append(errs, field.NotSupported(path, capacity, []corev1.ResourceName{corev1.ResourceStorage}))
	}
	for name, amount := range capacity {
		if amount.Sign() < 0 {
			errs = append(errs, field.Invalid(path.Key(string(name)), amount.Value(), "must be a valid resource quantity"))
		}
		if amount.Sign() <= 0 {
			errs = append(errs, field.Invalid(path.Key(string(name)), amount.String(), "must be greater than zero"))
		}
	}
	return errs
}

func validateVolumeNodes(v *corev1.PersistentVolume, path *field.Path) field.ErrorList {
	if v.Spec.NodeAffinity == nil {
		if v.Spec.Local != nil {
			return field.ErrorList{field.Required(path, "Local volume requires node affinity")}
		}
		return nil
	}
	if v.Spec.NodeAffinity.Required == nil {
		return field.ErrorList{field.Required(path.Child("required"), "must specify required node constraints")}
	}
	if len(v.Spec.NodeAffinity.Required.NodeSelectorTerms) == 0 {
		return field.ErrorList{field.Required(path.Child("required", "nodeSelectorTerms"), "must have at least one node selector term")}
	}
	return nil
}

// validateVolumeUpdate: where the data are, and how they are seen, stays.
func validateVolumeUpdate(v, old *corev1.PersistentVolume) field.ErrorList {
	errs := validateVolume(v)
	if !sameSource(v, old) {
		errs = append(errs, field.Forbidden(field.NewPath("spec", "persistentvolumesource"), "spec.persistentvolumesource is immutable after creation"))
	}
	return append(errs, apivalidation.ValidateImmutableField(v.Spec.VolumeMode, old.Spec.VolumeMode, field.NewPath("volumeMode"))...)
}
