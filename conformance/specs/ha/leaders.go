package ha

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareLeaders() {
	It("rolls a Deployment out after the leading controller-manager was killed", Serial, Label("HA-003"), func(ctx SpecContext) {
		s := scene.New(ctx)
		d := s.Deploy(ctx, s.Deployment("web", 1))
		killLeader(ctx, s, "kube-controller-manager")
		s.Scale(ctx, d.Name, 3)
		s.WaitRolledOut(ctx, d.Name)
		Expect(s.PodsOf(ctx, "web")).To(HaveLen(3), "two leaders would make too many pods")
	})
	It("places new pods after the leading scheduler was killed", Serial, Label("HA-004"), func(ctx SpecContext) {
		s := scene.New(ctx)
		killLeader(ctx, s, "kube-scheduler")
		s.Deploy(ctx, s.Deployment("web", 4))
		nodes := map[string]int{}
		for _, p := range s.PodsOf(ctx, "web") {
			nodes[p.Spec.NodeName]++
		}
		scene.Record("placed", "pods by node: %v", nodes)
	})
}

// killLeader kills the process that holds a component's Lease, and returns once another process holds it.
func killLeader(ctx context.Context, s *scene.Scene, component string) {
	GinkgoHelper()
	before, node := s.WaitHolder(ctx, component)
	killed := s.Break(ctx, fault.KillComponent(s.Control(), node, component))
	DeferCleanup(s.WaitNodesReady)
	s.WaitSuccessor(ctx, component, before)
	scene.Heal(ctx, killed)
}
