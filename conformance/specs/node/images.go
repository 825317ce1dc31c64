package node

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareImages() {
	It("waits with a pod whose image cannot be pulled, and runs it once that is corrected", Label("NODE-020"), func(ctx SpecContext) {
		s := scene.New(ctx)
		absent := s.Echo("absent", nil)
		absent.Spec.Containers[0].Image = s.Image("echo") + "-absent"
		malformed := s.Echo("malformed", nil)
		malformed.Spec.Containers[0].Image = "Not/An:Image:Name"
		never := s.Echo("never", nil)
		never.Spec.Containers[0].Image, never.Spec.Containers[0].ImagePullPolicy = absent.Spec.Containers[0].Image, corev1.PullNever
		for _, pod := range []*corev1.Pod{absent, malformed, never} {
			s.Create(ctx, pod)
		}
		s.WaitWaiting(ctx, "absent", "echo", "ErrImagePull", "ImagePullBackOff")
		s.WaitWaiting(ctx, "malformed", "echo", "InvalidImageName")
		s.WaitWaiting(ctx, "never", "echo", "ErrImageNeverPull")
		s.WaitWaiting(ctx, "absent", "echo", "ImagePullBackOff")
		for _, pod := range []*corev1.Pod{absent, malformed, never} {
			_, err := s.API.CoreV1().Pods(s.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType,
				[]byte(`{"spec":{"containers":[{"name":"echo","image":"`+s.Image("echo")+`"}]}}`), metav1.PatchOptions{})
			Expect(err).NotTo(HaveOccurred())
		}
		// The image is on the node of "never" only if another pod was run there: it is judged by the two that may pull.
		for _, name := range []string{"absent", "malformed"} {
			Expect(scene.Status(s.WaitReady(ctx, name), "echo").RestartCount).To(BeZero())
		}
	})
}
