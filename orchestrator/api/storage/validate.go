package storage

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateClass(_ context.Context, c *storagev1.StorageClass) field.ErrorList {
	errs := validateProvisioner(c.Provisioner, field.NewPath("provisioner"))
	for name := range c.Parameters {
		if name == "" {
			errs = append(errs, field.Invalid(field.NewPath("parameters"), name, "field can not be empty."))
		}
	}
	switch p := *c.ReclaimPolicy; p {
	case corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeReclaimRetain:
	default:
		errs = append(errs, field.NotSupported(field.NewPath("reclaimPolicy"), p, []corev1.PersistentVolumeReclaimPolicy{"Delete", "Retain"}))
	}
	switch m := *c.VolumeBindingMode; m {
	case storagev1.VolumeBindingImmediate, storagev1.VolumeBindingWaitForFirstConsumer:
	default:
		errs = append(errs, field.NotSupported(field.NewPath("volumeBindingMode"), m, []storagev1.VolumeBindingMode{"Immediate", "WaitForFirstConsumer"}))
	}
	return append(errs, validateTopologies(c.AllowedTopologies)...)
}

func validateProvisioner(name string, path *field.Path) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	var errs field.ErrorList
	for _, msg := range validation.IsQualifiedName(strings.ToLower(name)) {
		errs = append(errs, field.Invalid(path, name, msg))
	}
	return errs
}

func validateTopologies(terms []corev1.TopologySelectorTerm) field.ErrorList {
	var errs field.ErrorList
	for i, term := range terms {
		for j, e := range term.MatchLabelExpressions {
			path := field.NewPath("allowedTopologies").Index(i).Child("matchLabelExpressions").Index(j)
			if len(e.Values) == 0 {
				errs = append(errs, field.Required(path.Child("values"), ""))
			}
			seen := map[string]bool{}
			for n, v := range e.Values {
				if seen[v] {
					errs = append(errs, field.Duplicate(path.Child("values").Index(n), v))
				}
				seen[v] = true
			}
			for _, msg := range validation.IsQualifiedName(e.Key) {
				errs = append(errs, field.Invalid(path.Child("key"), e.Key, msg))
			}
		}
	}
	return errs
}

// fixed is a field that an update must leave alone; stock shows no value.
func fixed(changed bool, path *field.Path) field.ErrorList {
	if !changed {
		return nil
	}
	return field.ErrorList{field.Invalid(path, nil, "field is immutable")}
}

func validateClassUpdate(ctx context.Context, c, old *storagev1.StorageClass) field.ErrorList {
	errs := validateClass(ctx, c)
	errs = append(errs, fixed(!equality.Semantic.DeepEqual(c.Parameters, old.Parameters), field.NewPath("parameters"))...)
	errs = append(errs, fixed(c.Provisioner != old.Provisioner, field.NewPath("provisioner"))...)
	errs = append(errs, fixed(*c.ReclaimPolicy != *old.ReclaimPolicy, field.NewPath("reclaimPolicy"))...)
	return append(errs, fixed(*c.VolumeBindingMode != *old.VolumeBindingMode, field.NewPath("volumeBindingMode"))...)
}

// shortestToken of a CSI driver, in seconds.
const shortestToken = 600

func validateDriver(_ context.Context, d *storagev1.CSIDriver) field.ErrorList {
	var errs field.ErrorList
	spec := field.NewPath("spec")
	audiences := map[string]bool{}
	for i, t := range d.Spec.TokenRequests {
		path := spec.Child("tokenRequests").Index(i)
		if audiences[t.Audience] {
			errs = append(errs, field.Duplicate(path.Child("audience"), t.Audience))
		}
		audiences[t.Audience] = true
		if t.ExpirationSeconds != nil && *t.ExpirationSeconds < shortestToken {
			errs = append(errs, field.Invalid(path.Child("expirationSeconds"), *t.ExpirationSeconds, "may not specify a duration less than 10 minutes"))
		}
	}
	switch p := *d.Spec.FSGroupPolicy; p {
	case storagev1.ReadWriteOnceWithFSTypeFSGroupPolicy, storagev1.FileFSGroupPolicy, storagev1.NoneFSGroupPolicy:
	default:
		errs = append(errs, field.NotSupported(spec.Child("fsGroupPolicy"), p, []storagev1.FSGroupPolicy{"File", "None", "ReadWriteOnceWithFSType"}))
	}
	for _, m := range d.Spec.VolumeLifecycleModes {
		if m != storagev1.VolumeLifecyclePersistent && m != storagev1.VolumeLifecycleEphemeral {
			errs = append(errs, field.NotSupported(spec.Child("volumeLifecycleModes"), m, []storagev1.VolumeLifecycleMode{"Persistent", "Ephemeral"}))
		}
	}
	return errs
}

func validateDriverUpdate(ctx context.Context, d, old *storagev1.CSIDriver) field.ErrorList {
	errs := validateDriver(ctx, d)
	errs = append(errs, apivalidation.ValidateImmutableField(d.Spec.AttachRequired, old.Spec.AttachRequired, field.NewPath("spec", "attachedRequired"))...) // stock's spelling
	return append(errs, apivalidation.ValidateImmutableField(d.Spec.VolumeLifecycleModes, old.Spec.VolumeLifecycleModes, field.NewPath("spec", "volumeLifecycleModes"))...)
}

func validateCapacity(_ context.Context, c *storagev1.CSIStorageCapacity) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range apivalidation.NameIsDNSSubdomain(c.StorageClassName, false) {
		errs = append(errs, field.Invalid(field.NewPath("storageClassName"), c.StorageClassName, msg))
	}
	errs = append(errs, validateSelector(c.NodeTopology, field.NewPath("nodeTopology"))...)
	if c.Capacity != nil && c.Capacity.Sign() < 0 {
		errs = append(errs, field.Invalid(field.NewPath("capacity"), c.Capacity.String(), "must be greater than or equal to 0"))
	}
	if c.MaximumVolumeSize != nil && c.MaximumVolumeSize.Sign() < 0 {
		errs = append(errs, field.Invalid(field.NewPath("maximumVolumeSize"), c.MaximumVolumeSize.String(), "must be greater than or equal to 0"))
	}
	return errs
}

func validateCapacityUpdate(ctx context.Context, c, old *storagev1.CSIStorageCapacity) field.ErrorList {
	errs := validateCapacity(ctx, c)
	errs = append(errs, apivalidation.ValidateImmutableField(c.NodeTopology, old.NodeTopology, field.NewPath("nodeTopology"))...)
	return append(errs, apivalidation.ValidateImmutableField(c.StorageClassName, old.StorageClassName, field.NewPath("storageClassName"))...)
}
