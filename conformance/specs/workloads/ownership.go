package workloads

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareOwnership() {
	It("deletes what a deleted owner owned, and leaves what it orphans", Label("WORK-007"), func(ctx SpecContext) {
		s := scene.New(ctx)
		for _, name := range []string{"doomed", "orphaning"} {
			_, err := s.API.AppsV1().ReplicaSets(s.Namespace).Create(ctx, s.ReplicaSet(name, 2), metav1.CreateOptions{})
			Expect(err).NotTo(HaveOccurred())
			eventuallyReady(ctx, s, name, 2)
		}
		background, orphan := metav1.DeletePropagationBackground, metav1.DeletePropagationOrphan
		Expect(s.API.AppsV1().ReplicaSets(s.Namespace).Delete(ctx, "doomed", metav1.DeleteOptions{PropagationPolicy: &background})).To(Succeed())
		Expect(s.API.AppsV1().ReplicaSets(s.Namespace).Delete(ctx, "orphaning", metav1.DeleteOptions{PropagationPolicy: &orphan})).To(Succeed())
		Eventually(ctx, func(ctx context.Context) int { return len(s.PodsOf(ctx, "doomed")) }).
			WithTimeout(budget.PodStop.Limit()).WithPolling(target.Poll).Should(BeZero())
		Eventually(ctx, func(ctx context.Context) int {
			owned := 0
			for _, p := range s.PodsOf(ctx, "orphaning") {
				owned += len(p.OwnerReferences)
			}
			return owned
		}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(BeZero())
		Expect(s.PodsOf(ctx, "orphaning")).To(HaveLen(2))
	})

	It("keeps an owner that is deleted in the foreground until what it owned is gone", Label("WORK-008"), func(ctx SpecContext) {
		s := scene.New(ctx)
		_, err := s.API.AppsV1().ReplicaSets(s.Namespace).Create(ctx, s.ReplicaSet("owner", 2), metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		eventuallyReady(ctx, s, "owner", 2)
		foreground := metav1.DeletePropagationForeground
		Expect(s.API.AppsV1().ReplicaSets(s.Namespace).Delete(ctx, "owner", metav1.DeleteOptions{PropagationPolicy: &foreground})).To(Succeed())
		Eventually(ctx, func(g Gomega, ctx context.Context) bool {
			_, err := s.API.AppsV1().ReplicaSets(s.Namespace).Get(ctx, "owner", metav1.GetOptions{})
			if err == nil {
				return false
			}
			g.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "got %v", err)
			left, err := s.API.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=owner"})
			g.Expect(err).NotTo(HaveOccurred())
			if len(left.Items) > 0 {
				StopTrying("the owner went before its pods").Now()
			}
			return true
		}).WithTimeout(budget.PodStop.Limit()).WithPolling(target.Poll).Should(BeTrue())
	})
}
