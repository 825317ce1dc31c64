package core

import (
	"context"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// maxSecretSize bounds the sum of all values of a ConfigMap or Secret, in bytes (API doc of both kinds).
const maxSecretSize = 1 << 20

// ConfigMap is the catalogue entry of configmaps.
func ConfigMap() kind.Kind {
	return kind.Kind{
		Names:      kind.Names{Kind: "ConfigMap", Resource: "configmaps", Singular: "configmap", ShortNames: []string{"cm"}},
		Namespaced: true,
		Versions: []kind.Version{{
			Name:    "v1",
			New:     func() kind.Object { return &corev1.ConfigMap{} },
			NewList: func() runtime.Object { return &corev1.ConfigMapList{} },
		}},
		Storage: kind.Storage{Prefix: "configmaps", Version: corev1.SchemeGroupVersion, New: func() kind.Object { return &corev1.ConfigMap{} }},
		Columns: []kind.Column{
			kind.NameColumn,
			{Name: "Data", Type: "string", Description: "Data contains the configuration data."},
			kind.AgeColumn,
		},
		Cells: kind.Cells(func(m *corev1.ConfigMap, now time.Time) []any {
			return []any{m.Name, strconv.Itoa(len(m.Data) + len(m.BinaryData)), kind.Age(m, now)}
		}),
		Rules: kind.Typed[*corev1.ConfigMap]{
			ValidateCreate: func(_ context.Context, m *corev1.ConfigMap) field.ErrorList { return validateConfigMap(m) },
			ValidateUpdate: func(_ context.Context, m, old *corev1.ConfigMap) field.ErrorList {
				return append(validateConfigMap(m), validateImmutableConfigMap(m, old)...)
			},
			UnconditionalUpdate: true,
		}.Rules(),
	}
}

func validateConfigMap(m *corev1.ConfigMap) field.ErrorList {
	var errs field.ErrorList
	total := 0
	for key, value := range m.Data {
		errs = append(errs, validateDataKey(key, field.NewPath("data"))...)
		if _, twice := m.BinaryData[key]; twice {
			errs = append(errs, field.Invalid(field.NewPath("data").Key(key), key, "duplicate of key present in binaryData"))
		}
		total += len(value)
	}
	for key, value := range m.BinaryData {
		errs = append(errs, validateDataKey(key, field.NewPath("binaryData"))...)
		total += len(value)
	}
	if total > maxSecretSize {
		errs = append(errs, field.TooLong(field.NewPath(""), "", maxSecretSize))
	}
	return errs
}

func validateDataKey(key string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range validation.IsConfigMapKey(key) {
		errs = append(errs, field.Invalid(path.Key(key), key, msg))
	}
	return errs
}
