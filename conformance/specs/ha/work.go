package ha

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/history/load"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// How much load makes a loss show.
const (
	writesBefore   = 200
	attemptsDuring = 50
	writesAfter    = 200
)

// work is a load that goes on while a spec breaks things, and how much of it there must have been in each phase.
type work struct {
	*load.Load
	nodes  []string
	enough history.Enough
}

// underLoad is how most specs here begin: a scene with so many control planes at least, whose leaders are followed, and a load on it.
func underLoad(ctx SpecContext, atLeast int) (s *scene.Scene, nodes []string, w *work) {
	GinkgoHelper()
	s = scene.New(ctx)
	nodes = s.NodesOf(cluster.ControlPlane, atLeast)
	s.FollowLeaders(ctx)
	return s, nodes, startWork(ctx, s, nodes)
}

// startWork begins a load on every path to the API, and returns when enough was acknowledged before anything is broken.
func startWork(ctx context.Context, s *scene.Scene, nodes []string) *work {
	GinkgoHelper()
	apiservers := s.Cluster.APIServers()
	if len(apiservers) == 0 {
		scene.Inconclusive("the apiservers' own addresses are not known")
	}
	paths, err := load.Paths(s.Config, apiservers)
	Expect(err).NotTo(HaveOccurred())
	scene.Mark(verdict.Phase, "before", "")
	l, err := load.Start(ctx, s.Namespace, paths)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(l.Abandon)
	w := &work{Load: l, nodes: nodes, enough: history.Enough{Acknowledged: map[string]int{"before": writesBefore}, Attempted: map[string]int{}}}
	w.reach(ctx, "before", history.Counts{Acknowledged: writesBefore}, w.serving())
	return w
}

// enter begins a phase.
func (w *work) enter(phase string) {
	scene.Mark(verdict.Phase, phase, "")
	w.Enter(phase)
}

// during is a phase in which something is broken, and lasts until enough was tried and each path but those of the dead nodes was served.
func (w *work) during(ctx context.Context, phase string, dead ...string) {
	GinkgoHelper()
	w.enter(phase)
	w.enough.Attempted[phase] = attemptsDuring
	w.reach(ctx, phase, history.Counts{Attempted: attemptsDuring}, w.serving(dead...))
}

// after is a phase in which all is whole again: it lasts until every path has served and enough was acknowledged.
func (w *work) after(ctx context.Context, phase string) {
	GinkgoHelper()
	w.enter(phase)
	w.enough.Acknowledged[phase] = writesAfter
	w.reach(ctx, phase, history.Counts{Acknowledged: writesAfter}, w.serving())
}

// serving are the paths that serve while some nodes are dead.
func (w *work) serving(dead ...string) []string {
	paths := []string{load.Balancer}
	for _, n := range w.nodes {
		if !slices.Contains(dead, n) {
			paths = append(paths, n)
		}
	}
	return paths
}

// reach waits until a phase has had its load, and each of paths an acknowledged write in it: what is alive must serve.
func (w *work) reach(ctx context.Context, phase string, want history.Counts, paths []string) {
	GinkgoHelper()
	began := time.Now()
	scene.Within(ctx, budget.Failover, began, "load in phase "+phase, func(context.Context) error { return w.Reached(phase, want, paths) })
	scene.Record("load", "phase %q: %+v after %.1f s, acknowledged writes by path: %v", phase, w.Count(phase), time.Since(began).Seconds(), w.Acknowledged(phase))
}

// judge stops the load, keeps its history and asks all judges. mayExpire are the paths whose apiserver may have forgotten what a watch asks to
// resume from: it was restarted, or its own watch of the store was cut.
func (w *work) judge(ctx context.Context, mayExpire ...string) {
	GinkgoHelper()
	w.judgeWith(ctx, nil, mayExpire...)
}

// judgeWith judges other watches too, which are told what the load's clients saw.
func (w *work) judgeWith(ctx context.Context, others func(context.Context, history.History) []history.Watch, mayExpire ...string) {
	GinkgoHelper()
	limited, cancel := context.WithTimeout(ctx, budget.Converge.Limit())
	defer cancel()
	h, err := w.Stop(limited)
	scene.Lanes(w.Began(), h.Calls)
	Expect(err).NotTo(HaveOccurred(), "end the load")
	if others != nil {
		h.Watches = append(h.Watches, others(limited, h)...)
	}
	kept := history.Case{History: h, Enough: w.enough, MayExpire: mayExpire}
	whole, err := json.Marshal(kept)
	Expect(err).NotTo(HaveOccurred())
	scene.Keep(verdict.History, string(whole))
	v := kept.Judge(budget.JudgeTime.Limit())
	scene.Record(verdict.Judged, "%d calls, %d stored, %d watches up to version %d", len(h.Calls), len(h.Final), len(h.Watches), h.End)
	Expect(v.Wrong).To(BeEmpty())
	if v.Inconclusive != "" {
		scene.Inconclusive("%s", v.Inconclusive)
	}
}
