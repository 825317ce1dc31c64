package workloads

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareReplicaSets() {
	It("replaces a pod that is deleted, and removes the ones too many", Label("WORK-004"), func(ctx SpecContext) {
		s := scene.New(ctx)
		_, err := s.API.AppsV1().ReplicaSets(s.Namespace).Create(ctx, s.ReplicaSet("web", 2), metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		eventuallyReady(ctx, s, "web", 2)
		gone := s.PodsOf(ctx, "web")[0]
		Expect(s.API.CoreV1().Pods(s.Namespace).Delete(ctx, gone.Name, metav1.DeleteOptions{})).To(Succeed())
		eventuallyReady(ctx, s, "web", 2)
		Expect(uids(s.PodsOf(ctx, "web"))).NotTo(ContainElement(gone.UID))
	})

	It("adopts pods that match it, and lets go of those that no longer do", Label("WORK-005"), func(ctx SpecContext) {
		s := scene.New(ctx)
		orphan, err := s.API.CoreV1().Pods(s.Namespace).Create(ctx, s.Echo("orphan", scene.App("web")), metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		set, err := s.API.AppsV1().ReplicaSets(s.Namespace).Create(ctx, s.ReplicaSet("web", 2), metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		eventuallyReady(ctx, s, "web", 2)
		Expect(uids(s.PodsOf(ctx, "web"))).To(ContainElement(orphan.UID))
		owner := func(ctx context.Context) types.UID {
			p, err := s.API.CoreV1().Pods(s.Namespace).Get(ctx, "orphan", metav1.GetOptions{})
			if err != nil || metav1.GetControllerOf(p) == nil {
				return ""
			}
			return metav1.GetControllerOf(p).UID
		}
		Expect(owner(ctx)).To(Equal(set.UID))
		_, err = s.API.CoreV1().Pods(s.Namespace).Patch(ctx, "orphan", types.MergePatchType, []byte(`{"metadata":{"labels":{"app":"other"}}}`), metav1.PatchOptions{})
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, owner).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(BeEmpty())
		eventuallyReady(ctx, s, "web", 2)
	})
}

// eventuallyReady waits until an app has exactly n pods, all Ready.
func eventuallyReady(ctx context.Context, s *scene.Scene, app string, n int) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) []corev1.Pod {
		var ready []corev1.Pod
		pods := s.PodsOf(ctx, app)
		for i := range pods {
			if !scene.IsReady(&pods[i]) {
				return nil
			}
			ready = append(ready, pods[i])
		}
		return ready
	}).WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(HaveLen(n), "pods of %s", app)
}
