package podspec_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// An ephemeral container is refused with how it differs, as a changed pod is.
func TestAChangedEphemeralContainerIsShown(t *testing.T) {
	pod := func(image string) *corev1.Pod {
		p := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "x"}}}}
		p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "e1", Image: image, ImagePullPolicy: "Always"}}}
		podspec.Default(&p.Spec)
		return p
	}
	const want = `spec.ephemeralContainers: Forbidden: existing ephemeral containers "e1" may not be changed
@@ -1,6 +1,6 @@
 {
  "Name": "e1",
- "Image": "x",
+ "Image": "y",
  "Command": null,
`
	err := podspec.ValidateEphemeral(pod("y"), pod("x")).ToAggregate()
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
