package ha

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareDisk() {
	It("loses nothing and goes on serving while etcd of one control plane has no room", Serial, Label("HA-024"), func(ctx SpecContext) {
		s, nodes, w := underLoad(ctx, 3)
		node := nodes[len(nodes)-1]
		full := s.Break(ctx, fault.FillDisk(s.Control(), node, "etcd"))
		w.during(ctx, "no room on "+node, node)
		scene.Heal(ctx, full)
		w.after(ctx, "room again")
		s.WaitNodesReady(ctx)
		w.judge(ctx, node)
	})
}
