package workloads

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareDisruption() {
	It("evicts only as many pods as their disruption budget allows", Label("WORK-009"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Deploy(ctx, s.Deployment("web", 2))
		two := intstr.FromInt32(2)
		budgets := s.API.PolicyV1().PodDisruptionBudgets(s.Namespace)
		_, err := budgets.Create(ctx, &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Name: "web"},
			Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: &two, Selector: &metav1.LabelSelector{MatchLabels: scene.App("web")}},
		}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		allowed := func(ctx context.Context) int32 {
			b, err := budgets.Get(ctx, "web", metav1.GetOptions{})
			if err != nil || b.Status.ObservedGeneration != b.Generation || b.Status.CurrentHealthy < 2 {
				return -1
			}
			return b.Status.DisruptionsAllowed
		}
		Eventually(ctx, allowed).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(BeZero())
		evict := func(ctx context.Context) error {
			return s.API.PolicyV1().Evictions(s.Namespace).Evict(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.PodsOf(ctx, "web")[0].Name}})
		}
		err = evict(ctx)
		Expect(apierrors.IsTooManyRequests(err)).To(BeTrue(), "got %v", err)
		scale, err := s.API.AppsV1().Deployments(s.Namespace).GetScale(ctx, "web", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		scale.Spec.Replicas = 3
		_, err = s.API.AppsV1().Deployments(s.Namespace).UpdateScale(ctx, "web", scale, metav1.UpdateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, allowed).WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(BeEquivalentTo(1))
		Expect(evict(ctx)).To(Succeed())
	})
}
