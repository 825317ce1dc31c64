package core

import (
	"context"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Secret is the catalogue entry of secrets.
func Secret() kind.Kind {
	return kind.Kind{
		Names:      kind.Names{Kind: "Secret", Resource: "secrets", Singular: "secret"},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &corev1.Secret{}, &corev1.SecretList{})},
		Storage:    kind.Stored("secrets", corev1.SchemeGroupVersion, &corev1.Secret{}),
		Columns: kind.Table("Name;Type;Data;Age", map[string]string{
			"Type": corev1.Secret{}.SwaggerDoc()["type"], "Data": corev1.Secret{}.SwaggerDoc()["data"]}),
		Cells: kind.Cells(func(s *corev1.Secret, now time.Time) []any {
			return []any{s.Name, string(s.Type), strconv.Itoa(len(s.Data)), kind.Age(s, now)}
		}),
		Fields: kind.Fields(func(s *corev1.Secret) fields.Set { return fields.Set{"type": string(s.Type)} }),
		Rules: kind.Typed[*corev1.Secret]{
			// stringData is write-only: it is merged into data and never kept.
			Normalise: func(s *corev1.Secret) {
				for key, value := range s.StringData {
					if s.Data == nil {
						s.Data = map[string][]byte{}
					}
					s.Data[key] = []byte(value)
				}
				s.StringData = nil
			},
			Default: func(s *corev1.Secret) {
				if s.Type == "" {
					s.Type = corev1.SecretTypeOpaque
				}
			},
			ValidateCreate: func(_ context.Context, s *corev1.Secret) field.ErrorList { return validateSecret(s) },
			PrepareUpdate: func(_ context.Context, s, old *corev1.Secret) {
				// A PUT that leaves the type out keeps it; by now the default has filled it.
				if len(s.Type) == 0 {
					s.Type = old.Type
				}
			},
			ValidateUpdate: func(_ context.Context, s, old *corev1.Secret) field.ErrorList {
				return append(validateSecretChange(s, old), validateSecret(s)...)
			},
			Warnings:            secretWarnings,
			UnconditionalUpdate: true,
		}.Rules(),
	}
}
