package daemonset

import (
	"cmp"
	"slices"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/revision"
)

// work to do for a set.
type work struct {
	create []string
	remove []*core.Pod
	failed []*core.Pod
}

// situation of a set: its pods by node and what may run where.
type situation struct {
	ds     *apps.DaemonSet
	hash   string
	nodes  []*core.Node
	byNode map[string][]*core.Pod
	now    time.Time
	// places by the name of the node.
	places map[string]place
}

func (s *situation) updated(p *core.Pod) bool {
	return p.Labels[revision.Label] == s.hash && s.hash != ""
}

func (s *situation) available(p *core.Pod) bool {
	ok, _ := pods.Available(p, s.ds.Spec.MinReadySeconds, s.now)
	return ok && p.DeletionTimestamp == nil
}

// manage starts daemons where they are missing and takes away those that failed, are too many or do not belong.
func (s *situation) manage() (w work) {
	known := map[string]bool{}
	surge, _ := s.limits()
	for _, node := range s.nodes {
		known[node.Name] = true
		run, stay := s.places[node.Name].run, s.places[node.Name].stay
		mine := s.byNode[node.Name]
		switch {
		case run && len(mine) == 0:
			w.create = append(w.create, node.Name)
		case stay:
			s.keep(node.Name, mine, surge, run, &w)
		default:
			for _, p := range mine {
				if p.DeletionTimestamp == nil {
					w.remove = append(w.remove, p)
				}
			}
		}
	}
	for name, mine := range s.byNode {
		if known[name] || name == "" {
			continue
		}
		for _, p := range mine {
			if p.DeletionTimestamp == nil && p.Spec.NodeName == "" {
				w.remove = append(w.remove, p) // aimed at a node that is gone: it can never be placed
			}
		}
	}
	return w
}

// keep the oldest running daemon of a node; beside it stands only its newer one, when the set surges.
func (s *situation) keep(node string, mine []*core.Pod, surge int, run bool, w *work) {
	var alive []*core.Pod
	for _, p := range mine {
		switch {
		case p.DeletionTimestamp != nil:
		case pods.Ended(p):
			w.failed = append(w.failed, p)
			w.remove = append(w.remove, p)
		default:
			alive = append(alive, p)
		}
	}
	slices.SortFunc(alive, func(a, b *core.Pod) int {
		if a.Spec.NodeName != "" && b.Spec.NodeName == "" {
			return -1
		}
		if a.Spec.NodeName == "" && b.Spec.NodeName != "" {
			return 1
		}
		if n := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); n != 0 {
			return n
		}
		return cmp.Compare(a.Name, b.Name)
	})
	if surge == 0 {
		if len(alive) > 1 {
			w.remove = append(w.remove, alive[1:]...)
		}
		return
	}
	var fresh, old []*core.Pod
	for _, p := range alive {
		if s.updated(p) {
			fresh = append(fresh, p)
		} else {
			old = append(old, p)
		}
	}
	for _, group := range [][]*core.Pod{fresh, old} {
		if len(group) > 1 {
			w.remove = append(w.remove, group[1:]...)
		}
	}
	if len(fresh) > 0 && len(old) > 0 && s.available(fresh[0]) {
		w.remove = append(w.remove, old[0])
	}
}

// limits of a rolling update: how many nodes may have a second daemon, how many may be without.
func (s *situation) limits() (surge, unavailable int) {
	r := s.ds.Spec.UpdateStrategy.RollingUpdate
	if s.ds.Spec.UpdateStrategy.Type != apps.RollingUpdateDaemonSetStrategyType || r == nil {
		return 0, 0
	}
	wanted := 0
	for _, node := range s.nodes {
		if s.places[node.Name].run {
			wanted++
		}
	}
	value := func(v *intstr.IntOrString, otherwise int) int {
		n, err := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(v, intstr.FromInt(otherwise)), wanted, true)
		if err != nil {
			return otherwise
		}
		return n
	}
	surge, unavailable = value(r.MaxSurge, 0), value(r.MaxUnavailable, 1)
	if surge == 0 && unavailable == 0 {
		unavailable = 1
	}
	return surge, unavailable
}

// roll replaces daemons of older revisions within the limits.
func (s *situation) roll() (w work) {
	if s.ds.Spec.UpdateStrategy.Type != apps.RollingUpdateDaemonSetStrategyType {
		return w
	}
	surge, most := s.limits()
	down, surging := 0, 0
	var broken, willing []*core.Pod
	var grow []string
	for _, node := range s.nodes {
		if !s.places[node.Name].run {
			continue
		}
		var fresh, old *core.Pod
		leaving := false
		for _, p := range s.byNode[node.Name] {
			switch {
			case p.DeletionTimestamp != nil:
				leaving = true
			case pods.Ended(p):
			case s.updated(p):
				fresh = p
			default:
				old = p
			}
		}
		up := fresh != nil && s.available(fresh) || old != nil && s.available(old)
		if !up {
			down++
		}
		switch {
		case old != nil && fresh != nil:
			surging++
		case old == nil || leaving:
		case surge > 0 && !s.available(old):
			w.create = append(w.create, node.Name) // nothing is lost there: it needs no share of the surge
		case surge > 0:
			grow = append(grow, node.Name)
		case !s.available(old):
			broken = append(broken, old)
		default:
			willing = append(willing, old)
		}
	}
	if surge > 0 {
		w.create = append(w.create, grow[:min(len(grow), max(0, surge-surging))]...)
		return w
	}
	w.remove = append(broken, willing[:min(len(willing), max(0, most-down))]...)
	return w
}

// status counts nodes; wait is when an availability changes by time alone.
func (s *situation) status() (next apps.DaemonSetStatus, wait time.Duration) {
	next = *s.ds.Status.DeepCopy()
	next.CurrentNumberScheduled, next.NumberMisscheduled, next.DesiredNumberScheduled, next.NumberReady = 0, 0, 0, 0
	next.UpdatedNumberScheduled, next.NumberAvailable = 0, 0
	for _, node := range s.nodes {
		mine := slices.Clone(s.byNode[node.Name])
		if !s.places[node.Name].run {
			if len(mine) > 0 {
				next.NumberMisscheduled++
			}
			continue
		}
		next.DesiredNumberScheduled++
		if len(mine) == 0 {
			continue
		}
		next.CurrentNumberScheduled++
		slices.SortFunc(mine, func(a, b *core.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
		if p := mine[0]; pods.Ready(p) {
			next.NumberReady++
			ok, left := pods.Available(p, s.ds.Spec.MinReadySeconds, s.now)
			if ok {
				next.NumberAvailable++
			} else if left > 0 && (wait == 0 || left < wait) {
				wait = left
			}
		}
		if slices.ContainsFunc(mine, s.updated) {
			next.UpdatedNumberScheduled++
		}
	}
	next.NumberUnavailable = next.DesiredNumberScheduled - next.NumberAvailable
	next.ObservedGeneration = s.ds.Generation
	return next, wait
}
