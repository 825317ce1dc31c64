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
		why := MatchRegexp(`^0/\d+ nodes are available: .*\d+ Insufficient ` + string(scarce))
		for _, name := range []string{"second", "greedy"} {
			Expect(s.WaitUnschedulable(ctx, name).Message).To(why)
			Eventually(ctx, func(ctx context.Context) []string { return eventsOf(ctx, s, name, "FailedScheduling") }).
				WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(ContainElement(why), "events of %s", name)
			s.StaysUnplaced(ctx, name)
		}
		s.Delete(ctx, "first")
		Expect(s.WaitReady(ctx, "second").Spec.NodeName).To(Equal(node))
		Eventually(ctx, func(ctx context.Context) []string { return eventsOf(ctx, s, "second", "Scheduled") }).
			WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(ConsistOf("Successfully assigned " + s.Namespace + "/second to " + node))
		s.StaysUnplaced(ctx, "greedy")
	})
}
