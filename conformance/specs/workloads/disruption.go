package workloads

import (
	"context"
	"fmt"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareDisruption() {
	It("evicts only as many pods as their disruption budget allows", Label("WORK-009"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Deploy(ctx, s.Deployment("web", 2))
		s.Protect(ctx, "web", 2)
		Eventually(ctx, allowed(s, "web")).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(BeZero())
		err := s.Evict(ctx, s.PodsOf(ctx, "web")[0].Name)
		Expect(apierrors.IsTooManyRequests(err)).To(BeTrue(), "got %v", err)
		s.Scale(ctx, "web", 3)
		Eventually(ctx, allowed(s, "web")).WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(BeEquivalentTo(1))
		Expect(s.Evict(ctx, s.PodsOf(ctx, "web")[0].Name)).To(Succeed())

		By("evicting all pods at once of which all but one must stay")
		// Nobody replaces them: a second eviction does not become right after a while. They are many, since whoever counts the budget anew may be
		// only milliseconds behind the first.
		var alone []string
		for i := range evicted {
			name := fmt.Sprintf("alone-%d", i)
			alone = append(alone, name)
			s.Create(ctx, s.Echo(name, scene.App("alone")))
		}
		for _, name := range alone {
			s.WaitReady(ctx, name)
		}
		s.Protect(ctx, "alone", evicted-1)
		Eventually(ctx, allowed(s, "alone")).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(BeEquivalentTo(1))
		Expect(evictAtOnce(ctx, s, alone)).To(Equal(1), "evictions that were allowed")
		Eventually(ctx, func(ctx context.Context) int { return len(s.PodsOf(ctx, "alone")) }).WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(Equal(evicted-1), "pods that are left")
	})
}

// evicted are the pods that are evicted at once.
const evicted = 8

// allowed asks how many disruptions a budget allows; -1 while it has not counted its pods.
func allowed(s *scene.Scene, name string) func(context.Context) int32 {
	return func(ctx context.Context) int32 {
		b, err := s.API.PolicyV1().PodDisruptionBudgets(s.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil || b.Status.ObservedGeneration != b.Generation || b.Status.CurrentHealthy < 2 {
			return -1
		}
		return b.Status.DisruptionsAllowed
	}
}

// evictAtOnce returns how many evictions were allowed; the others have to be refused for the budget's sake.
func evictAtOnce(ctx context.Context, s *scene.Scene, pods []string) (gone int) {
	GinkgoHelper()
	errs := make([]error, len(pods))
	var all sync.WaitGroup
	for i, pod := range pods {
		all.Go(func() { errs[i] = s.Evict(ctx, pod) })
	}
	all.Wait()
	for _, err := range errs {
		if err == nil {
			gone++
			continue
		}
		Expect(apierrors.IsTooManyRequests(err)).To(BeTrue(), "got %v", err)
	}
	return gone
}
