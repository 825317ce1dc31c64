package storage

import (
	"context"
	"strings"

	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

func validateSelector(s *metav1.LabelSelector, path *field.Path) field.ErrorList {
	return metavalidation.ValidateLabelSelector(s, metavalidation.LabelSelectorValidationOptions{}, path)
}

// validateDriverName: a CSI driver is called like a domain; upper case is allowed.
func validateDriverName(name string, path *field.Path) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	var errs field.ErrorList
	if len(name) > 63 {
		errs = append(errs, field.TooLong(path, name, 63))
	}
	for _, msg := range validation.IsDNS1123Subdomain(strings.ToLower(name)) {
		errs = append(errs, field.Invalid(path, name, msg))
	}
	return errs
}

func validateNode(_ context.Context, n *storagev1.CSINode) field.ErrorList {
	var errs field.ErrorList
	names := map[string]bool{}
	for i := range n.Spec.Drivers {
		d, path := &n.Spec.Drivers[i], field.NewPath("spec", "drivers").Index(i)
		errs = append(errs, validateDriverName(d.Name, path.Child("name"))...)
		if names[d.Name] {
			errs = append(errs, field.Duplicate(path.Child("name"), d.Name))
		}
		names[d.Name] = true
		errs = append(errs, validateNodeDriver(d, path)...)
	}
	return errs
}

// longestNodeID in bytes (CSI spec).
const longestNodeID = 256

func validateNodeDriver(d *storagev1.CSINodeDriver, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch {
	case d.NodeID == "":
		errs = append(errs, field.Required(path.Child("nodeID"), ""))
	case len(d.NodeID) > longestNodeID:
		errs = append(errs, field.Invalid(path.Child("nodeID"), d.NodeID, "must be 256 characters or less"))
	}
	if a := d.Allocatable; a != nil && a.Count != nil && *a.Count < 0 {
		errs = append(errs, field.Invalid(path.Child("allocatable", "count"), *a.Count, "must be greater than or equal to 0"))
	}
	seen := map[string]bool{}
	for _, key := range d.TopologyKeys {
		if seen[key] {
			errs = append(errs, field.Duplicate(path, key))
		}
		seen[key] = true
		for _, msg := range validation.IsQualifiedName(key) {
			errs = append(errs, field.Invalid(path, key, msg))
		}
	}
	return errs
}

// validateNodeUpdate: drivers come and go; one that stays is what it was, but for what it can still take.
func validateNodeUpdate(ctx context.Context, n, old *storagev1.CSINode) field.ErrorList {
	errs := validateNode(ctx, n)
	before := map[string]storagev1.CSINodeDriver{}
	for _, d := range old.Spec.Drivers {
		before[d.Name] = d
	}
	for _, d := range n.Spec.Drivers {
		was, had := before[d.Name]
		was.Allocatable = d.Allocatable
		if had && !equality.Semantic.DeepEqual(d, was) {
			errs = append(errs, field.Invalid(field.NewPath("spec", "drivers"), kind.Untagged(d), "field is immutable"))
		}
	}
	return errs
}

func validateAttachment(_ context.Context, a *storagev1.VolumeAttachment) field.ErrorList {
	spec := field.NewPath("spec")
	errs := validateDriverName(a.Spec.Attacher, spec.Child("attacher"))
	source, path := a.Spec.Source, spec.Child("source")
	switch {
	case (source.InlineVolumeSpec == nil) == (source.PersistentVolumeName == nil):
		errs = append(errs, field.Required(path, "must specify exactly one of inlineVolumeSpec and persistentVolumeName"))
	case source.PersistentVolumeName != nil:
		name := *source.PersistentVolumeName
		if name == "" {
			errs = append(errs, field.Required(path.Child("persistentVolumeName"), "must specify non empty persistentVolumeName"))
		}
		for _, msg := range apivalidation.NameIsDNSSubdomain(name, false) {
			errs = append(errs, field.Invalid(path.Child("persistentVolumeName"), name, msg))
		}
	}
	for _, msg := range apivalidation.NameIsDNSSubdomain(a.Spec.NodeName, false) {
		errs = append(errs, field.Invalid(spec.Child("nodeName"), a.Spec.NodeName, msg))
	}
	return errs
}

func validateAttachmentUpdate(ctx context.Context, a, old *storagev1.VolumeAttachment) field.ErrorList {
	return append(validateAttachment(ctx, a), fixed(!equality.Semantic.DeepEqual(a.Spec, old.Spec), field.NewPath("spec"))...)
}
