// Package preempt finds out whether evicting pods of lower priority would let a refused pod run, and which of them.
//
// scheduler asks it after every node has refused a pod, and carries out what it answers. It tries changes on the state and undoes them before
// it returns: state is as it was.
package preempt

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/rules"
	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

// Plan is the cheapest way to make room.
type Plan struct {
	Node    *state.Node
	Victims []*state.Pod
	// violations counts victims whose PodDisruptionBudget allows no further disruption.
	violations int
}

// Why a node is no candidate, in stock's words; nil means that it is one.
const (
	NotHelpful = "Preemption is not helpful for scheduling."
	NoVictims  = "No preemption victims found for incoming pod."
)

// Find returns the best plan, or nil; reasons counts why nodes were not candidates.
func Find(all []*rules.Rule, p *state.Pod, s *state.State, refusals map[string][]rules.Refusal, budgets []*policyv1.PodDisruptionBudget) (best *Plan, reasons map[string]int) {
	reasons = map[string]int{}
	for _, n := range s.Nodes() {
		if final(refusals[n.Name]) {
			reasons[NotHelpful]++
			continue
		}
		plan := onNode(all, p, s, n, budgets)
		if plan == nil {
			reasons[NoVictims]++
			continue
		}
		if best == nil || better(plan, best) {
			best = plan
		}
	}
	return best, reasons
}

func final(refused []rules.Refusal) bool {
	return slices.ContainsFunc(refused, func(r rules.Refusal) bool { return r.Final })
}

// onNode takes all pods of lower priority away, and gives back as many as it can: first those that a budget protects, then the most important.
func onNode(all []*rules.Rule, p *state.Pod, s *state.State, n *state.Node, budgets []*policyv1.PodDisruptionBudget) *Plan {
	lower := lowerPriority(p, n)
	if len(lower) == 0 {
		return nil
	}
	for _, v := range lower {
		s.Remove(v.UID)
	}
	defer func() {
		for _, v := range lower {
			s.Place(v.Pod)
		}
	}()
	fits := func() bool { return len(rules.PrepareFilters(all, p, s).Refusals(n)) == 0 }
	if !fits() {
		return nil
	}
	plan := &Plan{Node: n}
	protected, free := split(lower, budgets)
	for i, group := range [][]*state.Pod{protected, free} {
		for _, v := range group {
			s.Place(v.Pod)
			if fits() {
				continue
			}
			s.Remove(v.UID)
			plan.Victims = append(plan.Victims, v)
			if i == 0 {
				plan.violations++
			}
		}
	}
	slices.SortFunc(plan.Victims, byImportance)
	return plan
}

func lowerPriority(p *state.Pod, n *state.Node) []*state.Pod {
	var lower []*state.Pod
	for _, placed := range n.Pods {
		if placed.Priority < p.Priority {
			lower = append(lower, placed)
		}
	}
	slices.SortFunc(lower, byImportance)
	return lower
}

// byImportance: higher priority first, then the longer running.
func byImportance(a, b *state.Pod) int {
	if a.Priority != b.Priority {
		return int(b.Priority) - int(a.Priority)
	}
	return started(a).Compare(started(b).Time)
}

func started(p *state.Pod) metav1.Time {
	if p.Status.StartTime != nil {
		return *p.Status.StartTime
	}
	return p.CreationTimestamp
}

// split separates pods whose eviction would violate a budget, spending each budget's allowance on the most important first.
func split(pods []*state.Pod, budgets []*policyv1.PodDisruptionBudget) (protected, free []*state.Pod) {
	allowed := make([]int32, len(budgets))
	for i, b := range budgets {
		allowed[i] = b.Status.DisruptionsAllowed
	}
	for _, p := range pods {
		violates := false
		for i, b := range budgets {
			if !covers(b, p.Pod) {
				continue
			}
			if allowed[i]--; allowed[i] < 0 {
				violates = true
			}
		}
		if violates {
			protected = append(protected, p)
		} else {
			free = append(free, p)
		}
	}
	return protected, free
}

func covers(b *policyv1.PodDisruptionBudget, p *corev1.Pod) bool {
	if b.Namespace != p.Namespace || len(p.Labels) == 0 {
		return false
	}
	if _, counted := b.Status.DisruptedPods[p.Name]; counted {
		return false
	}
	selector := state.Selector(b.Spec.Selector)
	return !selector.Empty() && selector.Matches(labels.Set(p.Labels))
}

// better: fewer budget violations, then a less important most important victim, a smaller sum of priorities, fewer victims, and last the node
// whose most important victim started latest.
func better(a, b *Plan) bool {
	switch {
	case a.violations != b.violations:
		return a.violations < b.violations
	case len(a.Victims) == 0 || len(b.Victims) == 0:
		return len(a.Victims) < len(b.Victims)
	case a.Victims[0].Priority != b.Victims[0].Priority:
		return a.Victims[0].Priority < b.Victims[0].Priority
	case prioritySum(a) != prioritySum(b):
		return prioritySum(a) < prioritySum(b)
	case len(a.Victims) != len(b.Victims):
		return len(a.Victims) < len(b.Victims)
	}
	return started(a.Victims[0]).After(started(b.Victims[0]).Time)
}

// prioritySum shifts priorities so that each victim counts, even one of negative priority.
func prioritySum(p *Plan) (sum int64) {
	for _, v := range p.Victims {
		sum += int64(v.Priority) + 1<<31
	}
	return sum
}
