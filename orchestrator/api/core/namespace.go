package core

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Namespace is the catalogue entry of namespaces. Deleting one only marks it: the namespace controller empties it and then finalizes.
func Namespace() kind.Kind {
	return kind.Kind{
		Names:    kind.Names{Kind: "Namespace", Resource: "namespaces", Singular: "namespace", ShortNames: []string{"ns"}},
		Versions: []kind.Version{kind.Served("v1", &corev1.Namespace{}, &corev1.NamespaceList{})},
		Storage:  kind.Stored("namespaces", corev1.SchemeGroupVersion, &corev1.Namespace{}),
		Verbs:    []string{"create", "delete", "get", "list", "patch", "update", "watch"},
		Columns:  kind.Table("Name;Status;Age", map[string]string{"Status": "The status of the namespace"}),
		Cells: kind.Cells(func(n *corev1.Namespace, now time.Time) []any {
			return []any{n.Name, string(n.Status.Phase), kind.Age(n, now)}
		}),
		Fields: kind.Fields(func(n *corev1.Namespace) fields.Set {
			// "name" is an old spelling of metadata.name.
			return fields.Set{"status.phase": string(n.Status.Phase), "name": n.Name}
		}),
		Rules: kind.Typed[*corev1.Namespace]{
			Default: func(n *corev1.Namespace) {
				if n.Status.Phase == "" {
					n.Status.Phase = corev1.NamespaceActive
				}
				if n.Name != "" {
					if n.Labels == nil {
						n.Labels = map[string]string{}
					}
					n.Labels[corev1.LabelMetadataName] = n.Name
				}
			},
			PrepareCreate: func(_ context.Context, n *corev1.Namespace) {
				n.Status = corev1.NamespaceStatus{Phase: corev1.NamespaceActive}
				for _, f := range n.Spec.Finalizers {
					if f == corev1.FinalizerKubernetes {
						return
					}
				}
				n.Spec.Finalizers = append(n.Spec.Finalizers, corev1.FinalizerKubernetes)
			},
			PrepareUpdate: func(_ context.Context, n, old *corev1.Namespace) {
				n.Spec.Finalizers, n.Status = old.Spec.Finalizers, old.Status
			},
			ValidateCreate:      validateNamespace,
			ValidateUpdate:      validateNamespaceUpdate,
			ValidName:           validation.ValidateNamespaceName,
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.Status(kind.Typed[*corev1.Namespace]{
				PrepareUpdate:  func(_ context.Context, n, old *corev1.Namespace) { n.Spec = old.Spec },
				ValidateUpdate: validateNamespaceStatus,
			}.Rules()),
			"finalize": {Verbs: []string{"update"}, Update: finalizeRules()},
		},
		Held: func(obj kind.Object) bool { return len(obj.(*corev1.Namespace).Spec.Finalizers) > 0 },
		PrepareDelete: func(obj kind.Object) {
			n := obj.(*corev1.Namespace)
			n.Status.Phase = corev1.NamespaceTerminating
			n.DeletionGracePeriodSeconds = nil // stock marks namespaces by a way of their own, which sets none
		},
	}
}

func finalizeRules() *kind.Rules {
	rules := kind.Typed[*corev1.Namespace]{
		PrepareUpdate:  func(_ context.Context, n, old *corev1.Namespace) { n.Status = old.Status },
		ValidateUpdate: validateNamespaceFinalize,
		Resets:         []string{"status"},
	}.Rules()
	return &rules
}
