package podspec

import (
	"path/filepath"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var hostPathTypes = []corev1.HostPathType{corev1.HostPathUnset, corev1.HostPathBlockDev, corev1.HostPathCharDev, corev1.HostPathDirectory,
	corev1.HostPathDirectoryOrCreate, corev1.HostPathFile, corev1.HostPathFileOrCreate, corev1.HostPathSocket}

func validateVolumes(volumes []corev1.Volume, path *field.Path) (volumeSet, field.ErrorList) {
	var errs field.ErrorList
	names := sets.New[string]()
	for i := range volumes {
		v, at := &volumes[i], path.Index(i)
		faults := validateSource(v, at)
		if v.Name == "" {
			faults = append(faults, field.Required(at.Child("name"), ""))
		} else {
			for _, msg := range utilvalidation.IsDNS1123Label(v.Name) {
				faults = append(faults, field.Invalid(at.Child("name"), v.Name, msg))
			}
		}
		if names.Has(v.Name) {
			faults = append(faults, field.Duplicate(at.Child("name"), v.Name))
		}
		if len(faults) == 0 {
			names.Insert(v.Name)
		}
		errs = append(errs, faults...)
	}
	return names, errs
}

// validateSource checks the sources whose form matters here; every volume has exactly one source.
func validateSource(v *corev1.Volume, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if given := sources(v); len(given) > 1 {
		for _, name := range given[1:] {
			errs = append(errs, field.Forbidden(path.Child(name), "may not specify more than 1 volume type"))
		}
		return errs
	}
	switch {
	case v.Secret != nil:
		at := path.Child("secret")
		if v.Secret.SecretName == "" {
			errs = append(errs, field.Required(at.Child("secretName"), ""))
		}
		errs = append(errs, validateMode(v.Secret.DefaultMode, at)...)
		errs = append(errs, validateItems(v.Secret.Items, at)...)
	case v.ConfigMap != nil:
		at := path.Child("configMap")
		if v.ConfigMap.Name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		}
		errs = append(errs, validateMode(v.ConfigMap.DefaultMode, at)...)
		errs = append(errs, validateItems(v.ConfigMap.Items, at)...)
	case v.HostPath != nil:
		errs = validateHostPath(v.HostPath, path.Child("hostPath"))
	case v.PersistentVolumeClaim != nil:
		if v.PersistentVolumeClaim.ClaimName == "" {
			errs = append(errs, field.Required(path.Child("persistentVolumeClaim", "claimName"), ""))
		}
	case v.Projected != nil:
		errs = validateProjected(v.Projected, path.Child("projected"))
	case v.DownwardAPI != nil:
		errs = validateMode(v.DownwardAPI.DefaultMode, path.Child("downwardAPI"))
		errs = append(errs, validateDownward(v.DownwardAPI.Items, path.Child("downwardAPI"))...)
	default:
		errs = validateOtherSource(&v.VolumeSource, path)
	}
	return errs
}

// sources lists the JSON names of the sources that are given.
func sources(v *corev1.Volume) []string {
	var names []string
	value := reflect.ValueOf(v.VolumeSource)
	for i := range value.NumField() {
		if !value.Field(i).IsNil() {
			name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
			// emptyDir is what stock looks at first, so the others are the surplus ones.
			if name == "emptyDir" {
				names = append([]string{name}, names...)
				continue
			}
			names = append(names, name)
		}
	}
	return names
}

func validateHostPath(h *corev1.HostPathVolumeSource, path *field.Path) field.ErrorList {
	if h.Path == "" {
		return field.ErrorList{field.Required(path.Child("path"), "")}
	}
	errs := noBacksteps(h.Path, path.Child("path"))
	if h.Type == nil {
		return errs
	}
	for _, known := range hostPathTypes {
		if *h.Type == known {
			return errs
		}
	}
	return append(errs, field.NotSupported(path.Child("type"), *h.Type, hostPathTypes))
}

func validateMode(mode *int32, path *field.Path) field.ErrorList {
	if mode == nil || (*mode >= 0 && *mode <= 0o777) {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("defaultMode"), *mode, "must be a number between 0 and 0777 (octal), both inclusive")}
}

func validateItems(items []corev1.KeyToPath, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, item := range items {
		at := path.Child("items").Index(i)
		if item.Key == "" {
			errs = append(errs, field.Required(at.Child("key"), ""))
		}
		if item.Path == "" {
			errs = append(errs, field.Required(at.Child("path"), ""))
			continue
		}
		errs = append(errs, relative(item.Path, at.Child("path"))...)
	}
	return errs
}

func relative(p string, path *field.Path) field.ErrorList {
	if filepath.IsAbs(p) {
		return append(field.ErrorList{field.Invalid(path, p, "must be a relative path")}, noBacksteps(p, path)...)
	}
	return noBacksteps(p, path)
}

func noBacksteps(p string, path *field.Path) field.ErrorList {
	for _, part := range strings.Split(filepath.ToSlash(p), "/") {
		if part == ".." {
			return field.ErrorList{field.Invalid(path, p, "must not contain '..'")}
		}
	}
	return nil
}

// validatePropagation of a mount, of which stock does not say which: path is the list's.
func validatePropagation(m *corev1.VolumeMount, c *corev1.Container, path *field.Path) field.ErrorList {
	at := path.Child("mountPropagation")
	errs := oneOf(m.MountPropagation, at, corev1.MountPropagationBidirectional, corev1.MountPropagationHostToContainer, corev1.MountPropagationNone)
	privileged := c.SecurityContext != nil && c.SecurityContext.Privileged != nil && *c.SecurityContext.Privileged
	if p := m.MountPropagation; p != nil && *p == corev1.MountPropagationBidirectional && !privileged {
		errs = append(errs, field.Forbidden(at, "Bidirectional mount propagation is available only to privileged containers"))
	}
	at = path.Child("recursiveReadOnly")
	if r := m.RecursiveReadOnly; r != nil && *r != corev1.RecursiveReadOnlyDisabled {
		errs = append(errs, oneOf(r, at, corev1.RecursiveReadOnlyDisabled, corev1.RecursiveReadOnlyEnabled, corev1.RecursiveReadOnlyIfPossible)...)
		if !m.ReadOnly && (*r == corev1.RecursiveReadOnlyEnabled || *r == corev1.RecursiveReadOnlyIfPossible) {
			errs = append(errs, field.Forbidden(at, "may only be specified when readOnly is true"))
		}
	}
	return errs
}

func validateMounts(c *corev1.Container, volumes volumeSet, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := sets.New[string]()
	all := path.Child("volumeMounts")
	for i, m := range c.VolumeMounts {
		at := all.Index(i)
		if m.Name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		}
		if !volumes.Has(m.Name) {
			errs = append(errs, field.NotFound(at.Child("name"), m.Name))
		}
		if m.MountPath == "" {
			errs = append(errs, field.Required(at.Child("mountPath"), ""))
		}
		if seen.Has(m.MountPath) {
			errs = append(errs, field.Invalid(at.Child("mountPath"), m.MountPath, "must be unique"))
		}
		seen.Insert(m.MountPath)
		if m.SubPath != "" && m.SubPathExpr != "" {
			errs = append(errs, field.Invalid(at.Child("subPathExpr"), m.SubPathExpr, "subPathExpr and subPath are mutually exclusive"))
		}
		errs = append(errs, relative(m.SubPath, all.Child("subPath"))...)
		errs = append(errs, relative(m.SubPathExpr, all.Child("subPathExpr"))...)
		errs = append(errs, validatePropagation(&m, c, all)...)
	}
	return errs
}
