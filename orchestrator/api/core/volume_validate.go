package core

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func sameSource(v, old *corev1.PersistentVolume) bool {
	return equality.Semantic.DeepEqual(v.Spec.PersistentVolumeSource, old.Spec.PersistentVolumeSource)
}

// namedSource is one kind of volume with its field's name.
type namedSource struct {
	name string
	set  bool
}

// sourcesOf lists the kinds of volumes in the order of stock's checks.
func sourcesOf(s *corev1.PersistentVolumeSource) []namedSource {
	return []namedSource{
		{"hostPath", s.HostPath != nil}, {"gcePersistentDisk", s.GCEPersistentDisk != nil}, {"awsElasticBlockStore", s.AWSElasticBlockStore != nil},
		{"glusterfs", s.Glusterfs != nil}, {"flocker", s.Flocker != nil}, {"nfs", s.NFS != nil}, {"rbd", s.RBD != nil}, {"quobyte", s.Quobyte != nil},
		{"cephFS", s.CephFS != nil}, {"iscsi", s.ISCSI != nil}, {"cinder", s.Cinder != nil}, {"fc", s.FC != nil}, {"flexVolume", s.FlexVolume != nil},
		{"azureFile", s.AzureFile != nil}, {"vsphereVolume", s.VsphereVolume != nil}, {"photonPersistentDisk", s.PhotonPersistentDisk != nil},
		{"portworxVolume", s.PortworxVolume != nil}, {"azureDisk", s.AzureDisk != nil}, {"scaleIO", s.ScaleIO != nil}, {"local", s.Local != nil},
		{"storageos", s.StorageOS != nil}, {"csi", s.CSI != nil},
	}
}

// validateVolumeSource: exactly one, and that one complete.
func validateVolumeSource(v *corev1.PersistentVolume, spec *field.Path) field.ErrorList {
	var errs field.ErrorList
	found := 0
	for _, s := range sourcesOf(&v.Spec.PersistentVolumeSource) {
		if !s.set {
			continue
		}
		if found++; found > 1 {
			errs = append(errs, field.Forbidden(spec.Child(s.name), "may not specify more than 1 volume type"))
			continue
		}
		errs = append(errs, validateOneSource(v, spec.Child(s.name))...)
	}
	if found == 0 {
		errs = append(errs, field.Required(spec, "must specify a volume type"))
	}
	if h := v.Spec.HostPath; h != nil && h.Path == "/" && v.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimRecycle {
		errs = append(errs, field.Forbidden(spec.Child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'"))
	}
	return errs
}

func validateOneSource(v *corev1.PersistentVolume, path *field.Path) field.ErrorList {
	switch s := &v.Spec.PersistentVolumeSource; {
	case s.HostPath != nil:
		return validateSourcePath(s.HostPath.Path, path.Child("path"))
	case s.NFS != nil:
		return validateNFS(s.NFS, path)
	case s.Local != nil:
		return validateSourcePath(s.Local.Path, path.Child("path"))
	case s.CSI != nil:
		return validateCSI(s.CSI, path)
	}
	return nil
}

func validateSourcePath(at string, path *field.Path) field.ErrorList {
	if at == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	for _, part := range strings.Split(at, "/") {
		if part == ".." {
			return field.ErrorList{field.Invalid(path, at, "must not contain '..'")}
		}
	}
	return nil
}

func validateNFS(s *corev1.NFSVolumeSource, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.Server == "" {
		errs = append(errs, field.Required(path.Child("server"), ""))
	}
	if s.Path == "" {
		errs = append(errs, field.Required(path.Child("path"), ""))
	} else if !strings.HasPrefix(s.Path, "/") {
		errs = append(errs, field.Invalid(path.Child("path"), s.Path, "must be an absolute path"))
	}
	return errs
}

func validateCSI(s *corev1.CSIPersistentVolumeSource, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.Driver == "" {
		errs = append(errs, field.Required(path.Child("driver"), ""))
	} else {
		for _, msg := range validation.IsDNS1123Subdomain(strings.ToLower(s.Driver)) {
			errs = append(errs, field.Invalid(path.Child("driver"), s.Driver, msg))
		}
	}
	if s.VolumeHandle == "" {
		errs = append(errs, field.Required(path.Child("volumeHandle"), ""))
	}
	for _, ref := range []struct {
		name string
		ref  *corev1.SecretReference
	}{
		{"controllerPublishSecretRef", s.ControllerPublishSecretRef}, {"controllerExpandSecretRef", s.ControllerExpandSecretRef},
		{"nodePublishSecretRef", s.NodePublishSecretRef}, {"nodeExpandSecretRef", s.NodeExpandSecretRef},
	} {
		if ref.ref == nil {
			continue
		}
		if ref.ref.Name == "" {
			errs = append(errs, field.Required(path.Child(ref.name, "name"), ""))
		}
		if ref.ref.Namespace == "" {
			errs = append(errs, field.Required(path.Child(ref.name, "namespace"), ""))
		}
	}
	return errs
}
