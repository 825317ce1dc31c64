package podspec

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Summary returns the containers' names and images, each joined by commas: the wide columns of workloads.
func Summary(spec *corev1.PodSpec) (names, images string) {
	var n, i []string
	for c := range spec.Containers {
		n = append(n, spec.Containers[c].Name)
		i = append(i, spec.Containers[c].Image)
	}
	return strings.Join(n, ","), strings.Join(i, ",")
}
