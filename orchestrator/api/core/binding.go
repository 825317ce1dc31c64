package core

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Binding is the catalogue entry of bindings: a verb in the shape of a kind, for which pods/binding is the better address.
func Binding() kind.Kind {
	return kind.Kind{
		Names:      kind.Names{Kind: "Binding", Resource: "bindings", Singular: "binding"},
		Namespaced: true,
		Virtual:    true,
		Verbs:      []string{"create"},
		Versions: []kind.Version{{
			Name:    "v1",
			New:     func() kind.Object { return &corev1.Binding{} },
			NewList: func() runtime.Object { return nil },
		}},
	}
}
