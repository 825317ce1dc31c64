package node

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareVolumes() {
	It("projects ConfigMaps, Secrets, fields and tokens into one volume and keeps them fresh in a running pod", Label("NODE-008"), func(ctx SpecContext) {
		s := scene.New(ctx)
		settings(ctx, s, "settings", map[string]string{"key": "old"})
		secret(ctx, s, "hidden", "key", "secret")
		s.Run(ctx, projecting(s, "fresh", ""))
		s.Run(ctx, projecting(s, "pinned", "map/key"))
		file(ctx, s, "fresh", scene.EchoPort, "/shared/map/key").Should(Equal("old"))
		file(ctx, s, "fresh", scene.EchoPort, "/shared/secret").Should(Equal("secret"))
		file(ctx, s, "fresh", scene.EchoPort, "/shared/labels").Should(ContainSubstring(`app="fresh"`))
		file(ctx, s, "pinned", scene.EchoPort, "/shared").Should(Equal("old"))
		token, err := s.ReadFile(ctx, "fresh", scene.EchoPort, "/shared/token")
		Expect(err).NotTo(HaveOccurred())
		review, err := s.API.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{"plumb"}}}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(review.Status.Authenticated).To(BeTrue(), "the projected token: %s", review.Status.Error)
		Expect(review.Status.User.Extra).To(HaveKeyWithValue("authentication.kubernetes.io/pod-name", authenticationv1.ExtraValue{"fresh"}))

		_, err = s.API.CoreV1().ConfigMaps(s.Namespace).Patch(ctx, "settings", types.MergePatchType, []byte(`{"data":{"key":"new","more":"too"}}`), metav1.PatchOptions{})
		Expect(err).NotTo(HaveOccurred())
		_, err = s.API.CoreV1().Pods(s.Namespace).Patch(ctx, "fresh", types.MergePatchType, []byte(`{"metadata":{"labels":{"app":"changed"}}}`), metav1.PatchOptions{})
		Expect(err).NotTo(HaveOccurred())
		file(ctx, s, "fresh", scene.EchoPort, "/shared/map/key").WithTimeout(budget.Refreshed.Limit()).Should(Equal("new"))
		file(ctx, s, "fresh", scene.EchoPort, "/shared/labels").WithTimeout(budget.Refreshed.Limit()).Should(ContainSubstring(`app="changed"`))
		file(ctx, s, "pinned", scene.EchoPort, "/shared").Should(Equal("old"), "a subPath is mounted once")
		Expect(scene.Status(s.Pod(ctx, "fresh"), "echo").RestartCount).To(BeZero())
	})

	It("shares an emptyDir between a pod's containers, over restarts, and no longer than the pod", Label("NODE-009"), func(ctx SpecContext) {
		s := scene.New(ctx)
		sharing := func() *corev1.Pod {
			writer, reader := s.EchoSpec().Containers[0], second(s, "reader")
			writer.VolumeMounts, reader.VolumeMounts = shared(), shared()
			reader.VolumeMounts[0].ReadOnly = true
			return podOf(s, "sharing", writer, reader)
		}
		first := s.Run(ctx, sharing())
		Expect(s.WriteFile(ctx, "sharing", scene.EchoPort, "/shared/word", "hello")).To(Succeed())
		file(ctx, s, "sharing", secondPort, "/shared/word").Should(Equal("hello"))
		Expect(s.WriteFile(ctx, "sharing", secondPort, "/shared/word", "bye")).To(MatchError(ContainSubstring("read-only file system")))
		_, err := s.Ask(ctx, "sharing", scene.EchoPort, "/exit?code=1")
		Expect(err).To(HaveOccurred(), "the container answered after it had ended")
		s.WaitRestarted(ctx, "sharing", "echo", 1)
		file(ctx, s, "sharing", scene.EchoPort, "/shared/word").Should(Equal("hello"))
		s.Delete(ctx, "sharing")
		waitGone(ctx, s, "sharing")
		again := sharing()
		again.Spec.NodeName = first.Spec.NodeName
		s.Run(ctx, again)
		_, err = s.ReadFile(ctx, "sharing", scene.EchoPort, "/shared/word")
		Expect(apierrors.IsInternalError(err)).To(BeTrue(), "a file outlived its pod: %v", err)
	})
}

// projecting is a pod with everything projected into one volume; with a subPath only that file of it is mounted.
func projecting(s *scene.Scene, name, subPath string) *corev1.Pod {
	audience := &corev1.ServiceAccountTokenProjection{Audience: "plumb", Path: "token"}
	labels := &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{Path: "labels", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels"}}}}
	pod := podOf(s, name, s.EchoSpec().Containers[0])
	pod.Spec.Containers[0].VolumeMounts = shared()
	pod.Spec.Containers[0].VolumeMounts[0].SubPath = subPath
	pod.Spec.Volumes[0].VolumeSource = corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
		{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: named("settings"), Items: []corev1.KeyToPath{{Key: "key", Path: "map/key"}}}},
		{Secret: &corev1.SecretProjection{LocalObjectReference: named("hidden"), Items: []corev1.KeyToPath{{Key: "key", Path: "secret"}}}},
		{DownwardAPI: labels}, {ServiceAccountToken: audience},
	}}}
	return pod
}

func waitGone(ctx context.Context, s *scene.Scene, name string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) error {
		_, err := s.API.CoreV1().Pods(s.Namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("pod %s is still there: %v", name, err)
	}).WithTimeout(budget.PodStop.Limit()).WithPolling(target.Poll).Should(Succeed())
}
