package scheduling

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareResources() {
	It("keeps a pod that fits nowhere waiting, says why, and places it once there is room", Label("SCHED-001"), func(ctx SpecContext) {
		s := scene.New(ctx)
		node := s.Workers(ctx, 1)[0]
		scarce := s.AddResource(ctx, node, 2)
		Expect(place(ctx, s, s.Idle("first", asking(scarce, "2")))).To(Equal(node), "only one node has %s", scarce)
		s.Create(ctx, s.Idle("second", asking(scarce, "1")))
		s.Create(ctx, s.Idle("greedy", asking(scarce, "3")))
		for _, name := range []string{"second", "greedy"} {
			// How it is worded is the scheduler's own business; that it names what is lacking is not.
			Expect(s.WaitUnschedulable(ctx, name).Message).To(ContainSubstring(string(scarce)))
			Eventually(ctx, func(ctx context.Context) []string { return eventsOf(ctx, s, name, "FailedScheduling") }).
				WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(ContainElement(ContainSubstring(string(scarce))), "events of %s", name)
			s.StaysUnplaced(ctx, name)
		}
		s.Delete(ctx, "first")
		Expect(s.WaitReady(ctx, "second").Spec.NodeName).To(Equal(node))
		Eventually(ctx, func(ctx context.Context) []string { return eventsOf(ctx, s, "second", "Scheduled") }).
			WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(ConsistOf(ContainSubstring(node)))
		s.StaysUnplaced(ctx, "greedy")
	})
}
