// Package api is the profile of the API alone: objects, watches, errors, rights. It needs no pods, so an implementer can start with it on day one.
package api

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

// Declare tells Ginkgo the profile's specs.
func Declare() {
	ginkgo.Describe("api", ginkgo.Label("api"), func() {
		declareObjects()
		declareUpdates()
		declareDeletion()
		declareLists()
		declareWatches()
		declareValidation()
		declareRights()
	})
}

// maps is the ConfigMap client of a scene: the kind that most of these specs use, since nothing else acts on it.
func maps(s *scene.Scene) typedcorev1.ConfigMapInterface {
	return s.API.CoreV1().ConfigMaps(s.Namespace)
}

// newMap creates a ConfigMap with one datum.
func newMap(ctx context.Context, s *scene.Scene, name string, labels map[string]string) *corev1.ConfigMap {
	created, err := maps(s).Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Data: map[string]string{"key": "0"},
	}, metav1.CreateOptions{})
	gomega.ExpectWithOffset(1, err).NotTo(gomega.HaveOccurred(), "create ConfigMap %s", name)
	return created
}
