package ha

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/history/load"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// How much load makes a loss show.
const (
	writesBefore   = 200
	attemptsDuring = 50
	writesAfter    = 200
)

func declareControlPlanes() {
	It("loses nothing and goes on serving while each control plane in turn is killed", Serial, Label("HA-009"), func(ctx SpecContext) {
		s := scene.New(ctx)
		nodes := s.NodesOf(cluster.ControlPlane, 3)
		l := startLoad(ctx, s)
		enough := history.Enough{Acknowledged: map[string]int{"before": writesBefore}, Attempted: map[string]int{}}
		reach(ctx, l, "before", history.Counts{Acknowledged: writesBefore}, nil)
		for _, node := range nodes {
			during, after := node+" dead", node+" back"
			enough.Attempted[during], enough.Acknowledged[after] = attemptsDuring, writesAfter
			killed := s.Break(ctx, fault.KillNode(s.Control(), node))
			l.Enter(during)
			reach(ctx, l, during, history.Counts{Attempted: attemptsDuring}, without(nodes, node))
			scene.Heal(ctx, killed)
			s.WaitNodesReady(ctx)
			l.Enter(after)
			reach(ctx, l, after, history.Counts{Acknowledged: writesAfter}, without(nodes, ""))
		}
		judge(ctx, l, enough, nodes...)
	})
}

// without are the paths that serve while node is dead.
func without(nodes []string, node string) []string {
	paths := []string{load.Balancer}
	for _, n := range nodes {
		if n != node {
			paths = append(paths, n)
		}
	}
	return paths
}

func startLoad(ctx context.Context, s *scene.Scene) *load.Load {
	GinkgoHelper()
	apiservers := s.Cluster.APIServers()
	if len(apiservers) == 0 {
		scene.Inconclusive("the apiservers' own addresses are not known")
	}
	paths, err := load.Paths(s.Config, apiservers)
	Expect(err).NotTo(HaveOccurred())
	l, err := load.Start(ctx, s.Namespace, paths)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(l.Abandon)
	return l
}

// reach waits until a phase has had its load, and each of paths an acknowledged write in it: what is alive must serve.
func reach(ctx context.Context, l *load.Load, phase string, want history.Counts, paths []string) {
	GinkgoHelper()
	began := time.Now()
	Eventually(ctx, func() error {
		have := l.Count(phase)
		if have.Attempted < want.Attempted || have.Acknowledged < want.Acknowledged {
			return fmt.Errorf("phase %q: %+v of %+v", phase, have, want)
		}
		served := l.Acknowledged(phase)
		for _, path := range paths {
			if served[path] == 0 {
				return fmt.Errorf("phase %q: no write through %s was acknowledged", phase, path)
			}
		}
		return nil
	}).WithTimeout(budget.Failover.Limit()).WithPolling(target.Poll).Should(Succeed())
	scene.Record("load", "phase %q: %+v after %.1f s, acknowledged writes by path: %v", phase, l.Count(phase), time.Since(began).Seconds(), l.Acknowledged(phase))
}

// judge stops the load and asks all judges; mayExpire are the paths whose apiserver was restarted. The history is kept when it is bad.
func judge(ctx context.Context, l *load.Load, enough history.Enough, mayExpire ...string) {
	GinkgoHelper()
	limited, cancel := context.WithTimeout(ctx, budget.Converge.Limit())
	defer cancel()
	h, err := l.Stop(limited)
	Expect(err).NotTo(HaveOccurred(), "end the load")
	v := history.Judge(h, enough, budget.JudgeTime.Limit(), mayExpire...)
	scene.Record("judged", "%d calls, %d stored, %d watches up to version %d", len(h.Calls), len(h.Final), len(h.Watches), h.End)
	if len(v.Wrong) > 0 {
		whole, err := json.Marshal(h)
		Expect(err).NotTo(HaveOccurred())
		scene.Record("history", "%s", whole)
	}
	Expect(v.Wrong).To(BeEmpty())
	if v.Inconclusive != "" {
		scene.Inconclusive("%s", v.Inconclusive)
	}
}
