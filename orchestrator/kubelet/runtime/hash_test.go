package runtime

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// The expected values were read from containers that stock's kubelet made.
func TestHashIsStocks(t *testing.T) {
	for _, row := range []struct{ name, image, want string }{
		{"nginx", "registry.k8s.io/e2e-test-images/nginx:1.27.0-2", "a2a759f2"},
		{"agnhost", "registry.k8s.io/e2e-test-images/agnhost:2.66.1", "50aa2032"},
	} {
		if got := fmt.Sprintf("%x", Hash(&corev1.Container{Name: row.name, Image: row.image})); got != row.want {
			t.Errorf("%s: hash %s, stock's is %s", row.name, got, row.want)
		}
	}
}
