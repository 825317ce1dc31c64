package ha

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/history/load"
	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareQuorum() {
	It("serves while a minority of the control planes is killed, stalls without a lie when the quorum is, and recovers", Serial, Label("HA-018"), func(ctx SpecContext) {
		s, nodes, w := underLoad(ctx, 3)
		survivor, minority := nodes[0], (len(nodes)-1)/2
		first := s.Break(ctx, each(s, nodes[1:1+minority], killed))
		w.during(ctx, "minority lost", nodes[1:1+minority]...)
		rest := s.Break(ctx, each(s, nodes[1+minority:], killed))
		w.stalls(ctx, "quorum lost", survivor)
		healAll(ctx, first, rest)
		w.after(ctx, "quorum back")
		w.recovered(ctx, s)
	})
	It("stalls without a lie while a quorum of the control planes is paused, and recovers", Serial, Label("HA-017"), func(ctx SpecContext) {
		s, nodes, w := underLoad(ctx, 3)
		frozen := s.Break(ctx, each(s, nodes[1:], paused))
		w.stalls(ctx, "quorum paused", nodes[0])
		scene.Heal(ctx, frozen)
		w.after(ctx, "quorum back")
		w.recovered(ctx, s)
	})
	It("stalls without a lie while the control planes cannot reach each other, and recovers", Serial, Label("HA-019"), func(ctx SpecContext) {
		s, nodes, w := underLoad(ctx, 3)
		broken := s.Break(ctx, each(s, nodes, apart))
		w.stalls(ctx, "quorum lost", nodes...)
		scene.Heal(ctx, broken)
		w.after(ctx, "quorum back")
		newDeployment(ctx, s, w.Client(load.Balancer), "recovered")
		w.judge(ctx, w.serving()...)
	})
}

// stalls is a phase in which nothing may be promised and nothing read that must be current: of all calls that begin in it, through the nodes that are
// alive and the balancer, no write is acknowledged and no read without a resourceVersion answered.
func (w *work) stalls(ctx context.Context, phase string, alive ...string) {
	GinkgoHelper()
	w.enter(phase)
	w.enough.Attempted[phase] = attemptsDuring
	since := time.Since(w.Began())
	for _, path := range append([]string{load.Balancer}, alive...) {
		w.Burst(ctx, path, attemptsDuring/2)
	}
	answered := 0
	var lies []string
	for _, c := range w.Calls() {
		if c.Begin < since {
			continue
		}
		answered++
		if c.Outcome == history.OK && c.Op != history.GetAt {
			lies = append(lies, fmt.Sprintf("%s %s through %s at %s: value %q, version %d", c.Op, c.Key, c.Client, c.Begin, c.Value, c.Version))
		}
	}
	scene.Record("stalled", "%d calls in phase %q, %d of them answered", answered, phase, len(lies))
	Expect(lies).To(BeEmpty(), "answered without a quorum")
}

// apart is a control plane that the others cannot reach; everybody else can.
func apart(s *scene.Scene, node string) fault.Fault {
	return fault.Isolate(s.Cluster, node, otherControlPlanes(s, node)...)
}

// recovered is how a spec ends that took all away: every node is ready again, new work is done, and the judges find nothing.
func (w *work) recovered(ctx context.Context, s *scene.Scene) {
	GinkgoHelper()
	s.WaitNodesReady(ctx)
	newDeployment(ctx, s, w.Client(load.Balancer), "recovered")
	w.judge(ctx, w.serving()...)
}

// healAll heals at the same time: one alone may not come back without the others.
func healAll(ctx context.Context, all ...*fault.Active) {
	GinkgoHelper()
	failed := make(chan error, len(all))
	for _, a := range all {
		go func() { failed <- a.Heal(ctx) }()
	}
	for range all {
		Expect(<-failed).To(Succeed())
	}
}
