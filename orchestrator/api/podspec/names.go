package podspec

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// SortedNames returns the names of a list in order, so that faults always come in the same one.
func SortedNames(list corev1.ResourceList) []corev1.ResourceName {
	names := make([]corev1.ResourceName, 0, len(list))
	for name := range list {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
