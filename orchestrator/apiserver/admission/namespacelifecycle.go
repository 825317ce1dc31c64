package admission

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// namespaceLifecycle lets nothing be created in a namespace that is missing or ending, and keeps the immortal namespaces.
type namespaceLifecycle struct {
	onlyAdmits
	reader objects.Reader
}

var (
	namespaces = schema.GroupResource{Resource: "namespaces"}
	immortal   = []string{metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic}
	// reviewed resources do not store anything, so their namespace need not exist.
	reviewed = schema.GroupResource{Group: "authorization.k8s.io", Resource: "localsubjectaccessreviews"}
)

func (*namespaceLifecycle) Name() string { return "NamespaceLifecycle" }

func (*namespaceLifecycle) Handles(op Operation) bool {
	return op == Create || op == Update || op == Delete
}

func (n *namespaceLifecycle) Admit(ctx context.Context, a *Attributes) error {
	if a.Kind.GroupResource() == namespaces {
		if a.Operation == Delete && slices.Contains(immortal, a.Name) {
			return apierrors.NewForbidden(namespaces, a.Name, fmt.Errorf("this namespace may not be deleted"))
		}
		return nil
	}
	if !a.Kind.Namespaced || a.Namespace == "" || a.Operation != Create || a.Kind.GroupResource() == reviewed {
		return nil
	}
	ns, err := freshly(ctx, n.reader, namespaces, "", a.Namespace)
	if err != nil {
		return err
	}
	if ns.GetDeletionTimestamp() == nil {
		if full, ok := ns.(*corev1.Namespace); !ok || full.Status.Phase != corev1.NamespaceTerminating {
			return nil
		}
	}
	return terminating(a)
}

func terminating(a *Attributes) error {
	err := refuse(a, "unable to create new content in namespace %s because it is being terminated", a.Namespace)
	status, ok := err.(*apierrors.StatusError)
	if !ok {
		return err
	}
	status.ErrStatus.Code = http.StatusForbidden
	status.ErrStatus.Details.Causes = append(status.ErrStatus.Details.Causes, metav1.StatusCause{
		Type:    corev1.NamespaceTerminatingCause,
		Message: fmt.Sprintf("namespace %s is being terminated", a.Namespace),
		Field:   "metadata.namespace",
	})
	return status
}
