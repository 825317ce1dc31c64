package node

import (
	"context"
	"encoding/json"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareStatic() {
	It("runs the pod of a file, shows it in the API, and follows the file alone", Label("NODE-024"), func(ctx SpecContext) {
		s := scene.New(ctx)
		node := s.Workers(ctx, 1)[0]
		folder := s.Kubelet(ctx, node).StaticPodPath
		if folder == "" {
			scene.Inconclusive("the kubelet of %s has no folder of static pods", node)
		}
		s.Run(ctx, s.Reaching("hand", node, folder))
		file, name := scene.NodeFolder+"/"+s.Namespace+".yaml", "static-"+node
		write := func(word string) {
			GinkgoHelper()
			Expect(s.WriteFile(ctx, "hand", scene.EchoPort, file, manifest(s, word))).To(Succeed())
		}
		write("one")
		DeferCleanup(func(ctx SpecContext) {
			if err := s.RemoveFile(ctx, "hand", scene.EchoPort, file); err == nil {
				waitGone(ctx, s, name)
			} // else the spec has removed it
		})
		first := s.WaitReady(ctx, name)
		Expect(first.Spec.NodeName).To(Equal(node))
		Expect(first.Annotations).To(And(HaveKeyWithValue("kubernetes.io/config.source", "file"), HaveKey(corev1.MirrorPodAnnotationKey)))
		Expect(first.OwnerReferences).To(ConsistOf(And(HaveField("Kind", "Node"), HaveField("Name", node))))
		says(ctx, s, name, "one")

		By("deleting what the API shows of it")
		atOnce := int64(0)
		Expect(s.API.CoreV1().Pods(s.Namespace).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &atOnce})).To(Succeed())
		container := scene.Status(first, "echo").ContainerID
		Eventually(ctx, func(ctx context.Context) error {
			shown, err := s.API.CoreV1().Pods(s.Namespace).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if status := scene.Status(shown, "echo"); shown.UID == first.UID || status.ContainerID != container || !status.Ready {
				return fmt.Errorf("pod %s has UID %s (before: %s) and container %q (before: %q), ready %t", name, shown.UID, first.UID, status.ContainerID, container, status.Ready)
			}
			return nil
		}).WithTimeout(budget.Mirrored.Limit()).WithPolling(target.Poll).Should(Succeed(), "its container runs on, and it is shown again")

		By("changing the file")
		write("two")
		says(ctx, s, name, "two")
		second := s.WaitReady(ctx, name)
		Expect(second.Annotations[corev1.MirrorPodAnnotationKey]).NotTo(Equal(first.Annotations[corev1.MirrorPodAnnotationKey]))

		By("removing the file")
		Expect(s.RemoveFile(ctx, "hand", scene.EchoPort, file)).To(Succeed())
		waitGone(ctx, s, name)
	})
}

// manifest of a pod that has a word in its environment.
func manifest(s *scene.Scene, word string) string {
	GinkgoHelper()
	pod := s.Echo("static", scene.App("static"))
	pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	pod.Namespace = s.Namespace
	pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "WORD", Value: word}}
	text, err := json.Marshal(pod)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func says(ctx context.Context, s *scene.Scene, pod, word string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) (string, error) { return s.Ask(ctx, pod, scene.EchoPort, "/env") }).
		WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(ContainSubstring(`"WORD":"` + word + `"`))
}
