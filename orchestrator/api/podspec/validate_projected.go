package podspec

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Bounds of a token's life, in seconds (API doc of ServiceAccountTokenProjection).
const (
	minTokenLife = 10 * 60
	maxTokenLife = 1 << 32
)

func validateProjected(p *corev1.ProjectedVolumeSource, path *field.Path) field.ErrorList {
	errs := validateMode(p.DefaultMode, path)
	paths := sets.New[string]()
	for i := range p.Sources {
		s, at := &p.Sources[i], path.Child("sources").Index(i)
		switch {
		case s.Secret != nil:
			at = at.Child("secret")
			if s.Secret.Name == "" {
				errs = append(errs, field.Required(at.Child("name"), ""))
			}
			errs = append(errs, validateItems(s.Secret.Items, at)...)
			errs = append(errs, onceEach(s.Secret.Name, itemPaths(s.Secret.Items, ""), paths, path)...)
		case s.ConfigMap != nil:
			at = at.Child("configMap")
			if s.ConfigMap.Name == "" {
				errs = append(errs, field.Required(at.Child("name"), ""))
			}
			errs = append(errs, validateItems(s.ConfigMap.Items, at)...)
			errs = append(errs, onceEach(s.ConfigMap.Name, itemPaths(s.ConfigMap.Items, ""), paths, path)...)
		case s.DownwardAPI != nil:
			errs = append(errs, validateDownward(s.DownwardAPI.Items, at.Child("downwardAPI"))...)
			errs = append(errs, onceEach("", fieldPaths(s.DownwardAPI.Items, ""), paths, path)...)
		case s.ClusterTrustBundle != nil:
			errs = append(errs, onceEach("", []written{{path: s.ClusterTrustBundle.Path}}, paths, path)...)
		case s.ServiceAccountToken != nil:
			errs = append(errs, validateTokenSource(s.ServiceAccountToken, at.Child("serviceAccountToken"), path)...)
		}
	}
	return errs
}

// onceEach: no two sources write one file. Stock names the source by its object.
func onceEach(name string, files []written, taken sets.Set[string], path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, f := range files {
		if f.path != "" && taken.Has(f.path) {
			errs = append(errs, field.Invalid(path, name, "conflicting duplicate paths"))
		}
		taken.Insert(f.path)
	}
	return errs
}

// validateTokenSource at path, of a projected volume.
func validateTokenSource(t *corev1.ServiceAccountTokenProjection, path, volume *field.Path) field.ErrorList {
	var errs field.ErrorList
	if life, at := t.ExpirationSeconds, path.Child("expirationSeconds"); life != nil {
		if *life < minTokenLife {
			errs = append(errs, field.Invalid(at, *life, "may not specify a duration less than 10 minutes"))
		} else if *life > maxTokenLife {
			errs = append(errs, field.Invalid(at, *life, "may not specify a duration larger than 2^32 seconds"))
		}
	}
	if t.Path == "" {
		return append(errs, field.Required(volume.Child("path"), "")) // so stock names it
	}
	return append(errs, relative(t.Path, path.Child("path"))...)
}

// validateDownward covers the files of a downward API; stock does not say which of them.
func validateDownward(items []corev1.DownwardAPIVolumeFile, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, item := range items {
		if item.Path == "" {
			errs = append(errs, field.Required(path.Child("path"), ""))
		} else {
			errs = append(errs, relative(item.Path, path.Child("path"))...)
		}
		switch {
		case item.FieldRef != nil:
			if item.ResourceFieldRef != nil {
				errs = append(errs, field.Invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
			}
			errs = append(errs, validateFieldRefOf(item.FieldRef, volumeFields, path.Child("fieldRef"))...)
		case item.ResourceFieldRef == nil:
			errs = append(errs, field.Required(path, "one of fieldRef and resourceFieldRef is required"))
		default:
			if item.ResourceFieldRef.ContainerName == "" {
				errs = append(errs, field.Required(path.Child("resourceFieldRef", "containerName"), ""))
			}
			errs = append(errs, validateResourceRef(item.ResourceFieldRef, path.Child("resourceFieldRef"))...)
		}
	}
	return errs
}
