package ha

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareLeaders() {
	It("rolls a Deployment out after the leading controller-manager was killed", Serial, Label("HA-003"), func(ctx SpecContext) {
		s := scene.New(ctx)
		d := s.Deploy(ctx, s.Deployment("web", 1))
		killLeader(ctx, s, "kube-controller-manager")
		scale, err := s.API.AppsV1().Deployments(s.Namespace).GetScale(ctx, d.Name, metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		scale.Spec.Replicas = 3
		_, err = s.API.AppsV1().Deployments(s.Namespace).UpdateScale(ctx, d.Name, scale, metav1.UpdateOptions{})
		Expect(err).NotTo(HaveOccurred())
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
	before := holder(ctx, s, component)
	node, _, _ := strings.Cut(before, "_")
	killed := s.Break(ctx, fault.KillComponent(s.Control(), node, component))
	DeferCleanup(s.WaitNodesReady)
	var after string
	Eventually(ctx, func(ctx context.Context) string {
		after = holder(ctx, s, component)
		return after
	}).WithTimeout(budget.LeaseExpiry.Limit()).WithPolling(target.Poll).ShouldNot(Or(Equal(before), BeEmpty()), "nobody took the Lease of the dead %s", component)
	scene.Record("succession", "%s: %s after %s", component, after, before)
	scene.Heal(ctx, killed)
}

// holder of a component's Lease; empty when nobody has it or the API cannot tell.
func holder(ctx context.Context, s *scene.Scene, component string) string {
	lease, err := s.API.CoordinationV1().Leases("kube-system").Get(ctx, component, metav1.GetOptions{})
	if err != nil || lease.Spec.HolderIdentity == nil {
		scene.Record("lease", "%s: %v", component, fmt.Sprint(err))
		return ""
	}
	return *lease.Spec.HolderIdentity
}
