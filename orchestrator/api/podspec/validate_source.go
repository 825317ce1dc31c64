package podspec

import (
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateOtherSource covers the sources that this cluster's nodes know little of: what they lack is told before a node is asked to mount them.
func validateOtherSource(v *corev1.VolumeSource, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	required := func(value string, name ...string) {
		if value == "" {
			errs = append(errs, field.Required(at.Child(name[0], name[1:]...), ""))
		}
	}
	switch {
	case v.EmptyDir != nil:
		if limit := v.EmptyDir.SizeLimit; limit != nil && limit.Sign() < 0 {
			errs = append(errs, field.Forbidden(at.Child("emptyDir", "sizeLimit"), "SizeLimit field must be a valid resource quantity"))
		}
	case v.CSI != nil:
		required(v.CSI.Driver, "csi", "driver")
	case v.Ephemeral != nil:
		if v.Ephemeral.VolumeClaimTemplate == nil {
			required("", "ephemeral", "volumeClaimTemplate")
		}
	case v.Image != nil:
		required(v.Image.Reference, "image", "reference")
		if v.Image.PullPolicy != "" {
			errs = append(errs, oneOf(&v.Image.PullPolicy, at.Child("image", "pullPolicy"), corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)...)
		}
	case v.NFS != nil:
		required(v.NFS.Server, "nfs", "server")
		required(v.NFS.Path, "nfs", "path")
		if v.NFS.Path != "" && !path.IsAbs(v.NFS.Path) {
			errs = append(errs, field.Invalid(at.Child("nfs", "path"), v.NFS.Path, "must be an absolute path"))
		}
	case v.ISCSI != nil:
		required(v.ISCSI.TargetPortal, "iscsi", "targetPortal")
		required(v.ISCSI.IQN, "iscsi", "iqn")
		if iqn := v.ISCSI.IQN; iqn != "" && !strings.HasPrefix(iqn, "iqn") && !strings.HasPrefix(iqn, "eui") && !strings.HasPrefix(iqn, "naa") {
			errs = append(errs, field.Invalid(at.Child("iscsi", "iqn"), iqn, "must be valid format starting with iqn, eui, or naa"))
		}
	}
	return errs
}
