// Package env makes the environment of a container: what its spec writes, what it takes from other objects, and the addresses of Services.
//
// Pure but for the lookups it is handed. Workers call it right before a container is created; an error becomes CreateContainerConfigError.
package env

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Lookups are where values come from.
type Lookups struct {
	ConfigMap func(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error)
	Secret    func(ctx context.Context, namespace, name string) (*corev1.Secret, error)
	// Services lists the Services of a namespace.
	Services func(namespace string) []*corev1.Service
	// Field and Resource resolve the downward API.
	Field    func(path string) (string, error)
	Resource func(selector *corev1.ResourceFieldSelector) (string, error)
}

// Make returns the variables in the order in which they were made. An explicit one hides one from a source, which hides a Service's.
func Make(ctx context.Context, pod *corev1.Pod, c *corev1.Container, from Lookups) ([]*runtimeapi.KeyValue, error) {
	services := ServiceVariables(from.Services(pod.Namespace), from.Services(corev1.NamespaceDefault), pod)
	values := map[string]string{}
	for _, source := range c.EnvFrom {
		found, err := fromSource(ctx, pod.Namespace, source, from)
		if err != nil {
			return nil, err
		}
		maps.Copy(values, found)
	}
	seen := slices.Sorted(maps.Keys(values))
	for _, v := range c.Env {
		value, set, err := one(ctx, pod, v, values, services, from)
		if err != nil {
			return nil, err
		}
		if !set {
			continue
		}
		if _, ok := values[v.Name]; !ok {
			seen = append(seen, v.Name)
		}
		values[v.Name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		if _, ok := values[name]; !ok {
			values[name] = services[name]
			seen = append(seen, name)
		}
	}
	result := make([]*runtimeapi.KeyValue, 0, len(seen))
	for _, name := range seen {
		result = append(result, &runtimeapi.KeyValue{Key: name, Value: []byte(values[name])})
	}
	return result, nil
}

// one returns a variable's value; set is false for an optional reference to nothing.
func one(ctx context.Context, pod *corev1.Pod, v corev1.EnvVar, values, services map[string]string, from Lookups) (string, bool, error) {
	if v.ValueFrom == nil {
		return Expand(v.Value, values, services), true, nil
	}
	switch f := v.ValueFrom; {
	case f.FieldRef != nil:
		value, err := from.Field(f.FieldRef.FieldPath)
		return value, true, err
	case f.ResourceFieldRef != nil:
		value, err := from.Resource(f.ResourceFieldRef)
		return value, true, err
	case f.ConfigMapKeyRef != nil:
		return configMapKey(ctx, pod.Namespace, f.ConfigMapKeyRef, from)
	case f.SecretKeyRef != nil:
		return secretKey(ctx, pod.Namespace, f.SecretKeyRef, from)
	}
	return "", true, nil
}

func configMapKey(ctx context.Context, namespace string, ref *corev1.ConfigMapKeySelector, from Lookups) (string, bool, error) {
	object, err := from.ConfigMap(ctx, namespace, ref.Name)
	if err != nil {
		return absent(err, ref.Optional)
	}
	if value, ok := object.Data[ref.Key]; ok {
		return value, true, nil
	}
	if optional(ref.Optional) {
		return "", false, nil
	}
	return "", false, fmt.Errorf("couldn't find key %v in ConfigMap %v/%v", ref.Key, namespace, ref.Name)
}

func secretKey(ctx context.Context, namespace string, ref *corev1.SecretKeySelector, from Lookups) (string, bool, error) {
	object, err := from.Secret(ctx, namespace, ref.Name)
	if err != nil {
		return absent(err, ref.Optional)
	}
	if value, ok := object.Data[ref.Key]; ok {
		return string(value), true, nil
	}
	if optional(ref.Optional) {
		return "", false, nil
	}
	return "", false, fmt.Errorf("couldn't find key %v in Secret %v/%v", ref.Key, namespace, ref.Name)
}

func absent(err error, opt *bool) (string, bool, error) {
	if errors.IsNotFound(err) && optional(opt) {
		return "", false, nil
	}
	return "", false, err
}

func fromSource(ctx context.Context, namespace string, source corev1.EnvFromSource, from Lookups) (map[string]string, error) {
	values := map[string]string{}
	if ref := source.ConfigMapRef; ref != nil {
		object, err := from.ConfigMap(ctx, namespace, ref.Name)
		if err != nil {
			if errors.IsNotFound(err) && optional(ref.Optional) {
				return values, nil
			}
			return nil, err
		}
		for key, value := range object.Data {
			values[source.Prefix+key] = value
		}
	}
	if ref := source.SecretRef; ref != nil {
		object, err := from.Secret(ctx, namespace, ref.Name)
		if err != nil {
			if errors.IsNotFound(err) && optional(ref.Optional) {
				return values, nil
			}
			return nil, err
		}
		for key, value := range object.Data {
			values[source.Prefix+key] = string(value)
		}
	}
	return values, nil
}

func optional(b *bool) bool { return b != nil && *b }
