package ha

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/scene"
)

// breaking is one way to take a control plane out of service.
type breaking struct {
	id, word string
	by       func(s *scene.Scene, node string) fault.Fault
}

func declareControlPlanes() {
	for _, b := range []breaking{
		{"HA-009", "killed", killed},
		{"HA-015", "paused", paused},
		{"HA-016", "cut off from all others", alone},
	} {
		It("loses nothing and goes on serving while each control plane in turn is "+b.word, Serial, Label(b.id), func(ctx SpecContext) {
			s, nodes, w := underLoad(ctx, 3)
			for _, node := range nodes {
				broken := s.Break(ctx, b.by(s, node))
				w.during(ctx, node+" "+b.word, node)
				scene.Heal(ctx, broken)
				w.after(ctx, node+" back")
				s.WaitNodesReady(ctx)
			}
			w.judge(ctx, nodes...)
		})
	}
}

func declareRestarts() {
	It("finds everything, and goes on, after all control planes were restarted at once", Serial, Label("HA-022"), func(ctx SpecContext) {
		s, nodes, w := underLoad(ctx, 2)
		all := s.Break(ctx, each(s, nodes, restarted))
		w.after(ctx, "all restarted")
		scene.Heal(ctx, all)
		w.recovered(ctx, s)
	})
	It("goes on serving while the control planes are restarted one after another", Serial, Label("HA-023"), func(ctx SpecContext) {
		s, nodes, w := underLoad(ctx, 3)
		for _, node := range nodes {
			from := time.Now()
			w.enter(node + " restarts")
			broken := s.Break(ctx, restarted(s, node))
			w.after(ctx, node+" back")
			w.outage(from, node+" is restarted")
			scene.Heal(ctx, broken)
			s.WaitNodesReady(ctx)
		}
		w.judge(ctx, nodes...)
	})
}

func killed(s *scene.Scene, node string) fault.Fault {
	return fault.KillNode(s.Control(), node, apiserverAt(s, node))
}

func restarted(s *scene.Scene, node string) fault.Fault {
	return fault.RestartNode(s.Control(), node, apiserverAt(s, node))
}

func paused(s *scene.Scene, node string) fault.Fault {
	return fault.PauseNode(s.Control(), node, apiserverAt(s, node))
}

// apiserverAt is the host:port of a node's apiserver.
func apiserverAt(s *scene.Scene, node string) string {
	address, found := s.Cluster.APIServers()[node]
	if !found {
		scene.Inconclusive("the address of the apiserver on %s is not known", node)
	}
	return strings.TrimPrefix(address, "https://")
}

func otherControlPlanes(s *scene.Scene, node string) (others []string) {
	for _, n := range s.NodesOf(cluster.ControlPlane, 1) {
		if n != node {
			others = append(others, n)
		}
	}
	return others
}

// each is a fault of every node at the same time.
func each(s *scene.Scene, nodes []string, by func(s *scene.Scene, node string) fault.Fault) fault.Fault {
	var all []fault.Fault
	for _, n := range nodes {
		all = append(all, by(s, n))
	}
	return fault.Together(all...)
}
