package ha

import (
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/history/load"
	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareEverything() {
	for i, b := range []breaking{
		{"HA-012", "killed", killed},
		{"HA-013", "paused", paused},
		{"HA-014", "cut off from all others", alone},
	} {
		It("goes on when the control plane that leads everything is "+b.word, Serial, Label(b.id), func(ctx SpecContext) {
			s := scene.New(ctx)
			nodes := s.NodesOf(cluster.ControlPlane, 3)
			node := nodes[i%len(nodes)]
			s.FollowLeaders(ctx)
			s.LeadEverything(ctx, node)
			w := startWork(ctx, s, nodes)
			from := time.Now()
			broken := s.Break(ctx, b.by(s, node))
			newDeployment(ctx, s, w.Client(load.Balancer), "during")
			w.during(ctx, node+" "+b.word, node)
			w.outage(from, "the leader is "+b.word)
			scene.Heal(ctx, broken)
			w.after(ctx, node+" back")
			s.WaitNodesReady(ctx)
			w.judge(ctx, nodes...)
		})
	}
}

// alone is a node that no other node and no balancer reaches.
func alone(s *scene.Scene, node string) fault.Fault {
	return fault.Isolate(s.Cluster, node, fault.Others(s.Cluster, node)...)
}

// outage holds the longest time in which the balancer's client had no write acknowledged, from a moment until now, against the budget.
func (w *work) outage(from time.Time, subject string) {
	GinkgoHelper()
	took := history.Outage(w.Calls(), load.Balancer, from.Sub(w.Began()), time.Since(w.Began()))
	scene.Spend(budget.WritesBack, from, took, "no write through the balancer: "+subject)
}
