package podspec

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What the downward API offers to volumes (API doc of DownwardAPIVolumeFile) and to environment variables (API doc of EnvVarSource).
var (
	volumeFields = []string{"metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid"}
	envFields    = []string{"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
		"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"}
	envResources = []string{"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"}
)

func validateEnv(c *corev1.Container, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range c.Env {
		e, at := &c.Env[i], path.Child("env").Index(i)
		if e.Name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		} else {
			for _, msg := range utilvalidation.IsRelaxedEnvVarName(e.Name) {
				errs = append(errs, field.Invalid(at.Child("name"), e.Name, msg))
			}
		}
		if e.ValueFrom != nil {
			errs = append(errs, validateEnvSource(e, at.Child("valueFrom"))...)
		}
	}
	for i := range c.EnvFrom {
		e, at := &c.EnvFrom[i], path.Child("envFrom").Index(i)
		if e.Prefix != "" {
			for _, msg := range utilvalidation.IsRelaxedEnvVarName(e.Prefix) {
				errs = append(errs, field.Invalid(at.Child("prefix"), e.Prefix, msg))
			}
		}
		switch {
		case e.ConfigMapRef == nil && e.SecretRef == nil:
			errs = append(errs, field.Invalid(path.Child("envFrom"), "", "must specify one of: `configMapRef` or `secretRef`"))
		case e.ConfigMapRef != nil && e.SecretRef != nil:
			errs = append(errs, field.Invalid(path.Child("envFrom"), "", "may not have more than one field specified at a time"))
		case e.ConfigMapRef != nil:
			errs = append(errs, referred(e.ConfigMapRef.Name, at.Child("configMapRef", "name"))...)
		case e.SecretRef != nil:
			errs = append(errs, referred(e.SecretRef.Name, at.Child("secretRef", "name"))...)
		}
	}
	return errs
}

func validateEnvSource(e *corev1.EnvVar, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	from, sources := e.ValueFrom, 0
	if from.FieldRef != nil {
		sources++
		errs = append(errs, validateFieldRef(from.FieldRef, path.Child("fieldRef"))...)
	}
	if from.ResourceFieldRef != nil {
		sources++
		errs = append(errs, validateResourceRef(from.ResourceFieldRef, path.Child("resourceFieldRef"))...)
	}
	if from.ConfigMapKeyRef != nil {
		sources++
		errs = append(errs, validateKeyRef(from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key, path.Child("configMapKeyRef"))...)
	}
	if from.SecretKeyRef != nil {
		sources++
		errs = append(errs, validateKeyRef(from.SecretKeyRef.Name, from.SecretKeyRef.Key, path.Child("secretKeyRef"))...)
	}
	if from.FileKeyRef != nil {
		sources++
	}
	switch {
	case sources == 0:
		errs = append(errs, field.Invalid(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"))
	case e.Value != "":
		errs = append(errs, field.Invalid(path, "", "may not be specified when `value` is not empty"))
	case sources > 1:
		errs = append(errs, field.Invalid(path, "", "may not have more than one field specified at a time"))
	}
	return errs
}

func validateKeyRef(name, key string, path *field.Path) field.ErrorList {
	errs := subdomain(name, path.Child("name"))
	if key == "" {
		return append(errs, field.Required(path.Child("key"), ""))
	}
	for _, msg := range utilvalidation.IsConfigMapKey(key) {
		errs = append(errs, field.Invalid(path.Child("key"), key, msg))
	}
	return errs
}

func subdomain(name string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range utilvalidation.IsDNS1123Subdomain(name) {
		errs = append(errs, field.Invalid(path, name, msg))
	}
	return errs
}

// referred is the name of an object that must be there.
func referred(name string, path *field.Path) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	return subdomain(name, path)
}

func validateFieldRef(ref *corev1.ObjectFieldSelector, path *field.Path) field.ErrorList {
	return validateFieldRefOf(ref, envFields, path)
}

// validateFieldRefOf fields that are offered whole; single labels and annotations always are.
func validateFieldRefOf(ref *corev1.ObjectFieldSelector, offered []string, path *field.Path) field.ErrorList {
	at := path.Child("fieldPath")
	if ref.FieldPath == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	if name, key, subscript := subscripted(ref.FieldPath); subscript {
		if name == "metadata.labels" || name == "metadata.annotations" {
			var errs field.ErrorList
			for _, msg := range utilvalidation.IsQualifiedName(strings.ToLower(key)) {
				errs = append(errs, field.Invalid(path, key, msg))
			}
			return errs
		}
		return field.ErrorList{field.Invalid(path, name, "does not support subscript")}
	}
	if slices.Contains(offered, ref.FieldPath) {
		return nil
	}
	return field.ErrorList{field.Invalid(at, ref.FieldPath, "error converting fieldPath: field label not supported: "+ref.FieldPath)}
}

// subscripted splits metadata.labels['key'].
func subscripted(path string) (name, key string, ok bool) {
	rest, closed := strings.CutSuffix(path, "']")
	if !closed {
		return "", "", false
	}
	return strings.Cut(rest, "['")
}

func validateResourceRef(ref *corev1.ResourceFieldSelector, path *field.Path) field.ErrorList {
	at := path.Child("resource")
	if ref.Resource == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	if slices.Contains(envResources, ref.Resource) || strings.HasPrefix(ref.Resource, "limits.hugepages-") ||
		strings.HasPrefix(ref.Resource, "requests.hugepages-") {
		return nil
	}
	return field.ErrorList{field.NotSupported(at, ref.Resource, envResources)}
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }
