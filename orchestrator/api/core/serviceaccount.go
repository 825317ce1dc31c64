package core

import (
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// ServiceAccount is the catalogue entry of serviceaccounts.
func ServiceAccount() kind.Kind {
	return kind.Kind{
		Names:      kind.Names{Kind: "ServiceAccount", Resource: "serviceaccounts", Singular: "serviceaccount", ShortNames: []string{"sa"}},
		Namespaced: true,
		Returned:   true,
		Versions:   []kind.Version{kind.Served("v1", &corev1.ServiceAccount{}, &corev1.ServiceAccountList{})},
		Storage:    kind.Stored("serviceaccounts", corev1.SchemeGroupVersion, &corev1.ServiceAccount{}),
		Columns:    kind.Table("Name;Age", nil),
		Cells: kind.Cells(func(s *corev1.ServiceAccount, now time.Time) []any {
			return []any{s.Name, kind.Age(s, now)}
		}),
		Rules: kind.Typed[*corev1.ServiceAccount]{Warnings: accountWarnings, UnconditionalUpdate: true}.Rules(),
		Subresources: map[string]kind.Subresource{
			"token": kind.Connect(authenticationv1.SchemeGroupVersion.WithKind("TokenRequest"), "create"),
		},
	}
}
