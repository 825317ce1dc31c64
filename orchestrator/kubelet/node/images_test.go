package node

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestImagesOfANodeAreBounded(t *testing.T) {
	all := make([]corev1.ContainerImage, 60)
	for most, want := range map[int32]int{50: 50, 0: 0, -1: 60, 100: 60} {
		if got := len(New(Config{MaxImages: most}).bounded(all)); got != want {
			t.Errorf("nodeStatusMaxImages %d shows %d, want %d", most, got, want)
		}
	}
}

// A node told that it can give pods user namespaces of their own, since its runtime could, and then ran them without.
func TestUserNamespacesAreNotPromised(t *testing.T) {
	for _, h := range handlers([]*runtimeapi.RuntimeHandler{{Name: "runc", Features: &runtimeapi.RuntimeHandlerFeatures{UserNamespaces: true, RecursiveReadOnlyMounts: true}}}) {
		if *h.Features.UserNamespaces || !*h.Features.RecursiveReadOnlyMounts {
			t.Errorf("%+v", h.Features)
		}
	}
}
