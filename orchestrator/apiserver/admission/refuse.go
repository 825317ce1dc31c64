package admission

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// refuse is a 403 about the object of the attempt.
func refuse(a *Attributes, format string, args ...any) error {
	name := a.Name
	if name == "" {
		name = "Unknown"
		if meta, ok := a.Object.(interface{ GetGenerateName() string }); ok && meta.GetGenerateName() != "" {
			name = meta.GetGenerateName()
		}
	}
	return apierrors.NewForbidden(a.Kind.GroupResource(), name, fmt.Errorf(format, args...))
}

// isCore tells whether the attempt is on a core resource and subresource.
func (a *Attributes) isCore(resource, subresource string) bool {
	return a.Kind.Group == "" && a.Kind.Resource == resource && a.Subresource == subresource
}

// newPod returns the pod of a creation.
func (a *Attributes) newPod() (*corev1.Pod, bool) {
	if a.Operation != Create || !a.isCore("pods", "") {
		return nil, false
	}
	pod, ok := a.Object.(*corev1.Pod)
	return pod, ok
}
