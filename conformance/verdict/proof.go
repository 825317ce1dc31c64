package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Proof is what a pass of a requirement must have left in the report. A pass without it proves nothing, whoever states it: neither a run that lost its
// evidence on the way nor a report from which it was taken.
type Proof struct {
	// Load: the calls of a client load, whole as evidence and drawn in the timeline, and what its judges said.
	Load bool
	// Faults by the first words of their names, and how many different ones of each were witnessed and healed, at least.
	Faults map[string]int
	// Budgets that were held, by name.
	Budgets []string
	// Evidence that was recorded, by name.
	Evidence []string
}

// ProofOf is what a pass of a requirement needs. Most leave no trace but that they passed.
func ProofOf(id string) Proof {
	p := proofs[id]
	if p.Load {
		p.Budgets = append(slices.Clone(p.Budgets), "failover")
		p.Evidence = append(slices.Clone(p.Evidence), "load")
	}
	return p
}

// back are the budgets of a client for whom a new Deployment is rolled out by what is left of a control plane.
var back = []string{"writes back", "controllers back"}

// proofs by requirement. Who gives one of these specs another fault, budget or record changes its line: a run without what stands here is
// inconclusive.
var proofs = map[string]Proof{
	"WORK-002":    {Evidence: []string{"bounds"}},
	"NODE-010":    {Evidence: []string{"ended"}},
	"NODE-026":    {Evidence: []string{"eviction"}},
	"NODE-027":    {Evidence: []string{"eviction"}},
	"ROUTE-010":   {Faults: map[string]int{"crash pod ": 1}, Budgets: []string{"dead endpoint avoided"}, Evidence: []string{"requests"}},
	"ROUTE-011":   {Faults: map[string]int{"kill node ": 1}, Budgets: []string{"node given up", "dead endpoint avoided"}, Evidence: []string{"requests"}},
	"ROUTE-012":   {Evidence: []string{"requests"}},
	"ROUTE-013":   {Faults: map[string]int{"pause kube-proxy ": 1, "kill kube-proxy ": 1}, Budgets: []string{"converge"}, Evidence: []string{"requests"}},
	"ROUTE-014":   {Faults: map[string]int{"kill pod ": 1}, Budgets: []string{"names resolve again"}, Evidence: []string{"requests"}},
	"ROUTE-015":   {Evidence: []string{"requests", "moved"}},
	"ROUTE-016":   {Budgets: []string{"removed endpoint avoided"}, Evidence: []string{"misrouted"}},
	"HA-001":      {Faults: map[string]int{"kill etcd ": 1}},
	"HA-002":      {Faults: map[string]int{"kill kube-apiserver ": 1}},
	"HA-003":      {Faults: map[string]int{"kill kube-controller-manager ": 1}, Evidence: []string{"succession"}},
	"HA-004":      {Faults: map[string]int{"kill kube-scheduler ": 1}, Evidence: []string{"succession", "placed"}},
	"HA-005":      {Faults: map[string]int{"kill kubelet ": 1}},
	"HA-006":      {Faults: map[string]int{"kill kube-proxy ": 1}, Evidence: []string{"calls"}},
	"HA-007":      {Faults: map[string]int{"kill containerd ": 1}},
	"HA-008":      {Faults: map[string]int{"partition ": 1}},
	"HA-009":      {Load: true, Faults: map[string]int{"kill node ": 3}},
	"HA-010":      {Faults: map[string]int{"kill kube-apiserver ": 1}, Evidence: []string{"services"}},
	"HA-011":      {Faults: map[string]int{"stop kubelet ": 1}},
	"HA-012":      {Load: true, Faults: map[string]int{"kill node ": 1}, Budgets: back, Evidence: []string{"leaders"}},
	"HA-013":      {Load: true, Faults: map[string]int{"pause node ": 1}, Budgets: back, Evidence: []string{"leaders"}},
	"HA-014":      {Load: true, Faults: map[string]int{"partition ": 1}, Budgets: back, Evidence: []string{"leaders"}},
	"HA-015":      {Load: true, Faults: map[string]int{"pause node ": 3}},
	"HA-016":      {Load: true, Faults: map[string]int{"partition ": 3}},
	"HA-017":      {Load: true, Faults: map[string]int{"pause node ": 1}, Budgets: back, Evidence: []string{"stalled"}},
	"HA-018":      {Load: true, Faults: map[string]int{"kill node ": 2}, Budgets: back, Evidence: []string{"stalled"}},
	"HA-019":      {Load: true, Faults: map[string]int{"partition ": 1}, Budgets: back, Evidence: []string{"stalled"}},
	"HA-020":      {Faults: map[string]int{"kill kube-": 1}, Budgets: back, Evidence: []string{"succession"}},
	"HA-021":      {Faults: map[string]int{"pause kube-": 1}, Evidence: []string{"succession", "acted"}},
	"HA-022":      {Load: true, Faults: map[string]int{"restart node ": 1}, Budgets: back},
	"HA-023":      {Load: true, Faults: map[string]int{"restart node ": 3}, Budgets: []string{"writes back"}},
	"HA-024":      {Load: true, Faults: map[string]int{"fill the disk of etcd ": 1}},
	"RESCHED-001": {Faults: map[string]int{"kill node ": 1}, Budgets: []string{"pods run elsewhere"}, Evidence: []string{"moved"}},
	"RESCHED-002": {Evidence: []string{"drained"}},
	"RESCHED-003": {Faults: map[string]int{"pause node ": 1}, Budgets: []string{"pods run elsewhere"}, Evidence: []string{"moved"}},
	"RESCHED-004": {Faults: map[string]int{"partition ": 1}, Budgets: []string{"pods run elsewhere"}, Evidence: []string{"moved"}},
	"RESCHED-005": {Evidence: []string{"drained"}},
	"RESCHED-006": {Faults: map[string]int{"kill node ": 1}},
	"RESCHED-007": {Evidence: []string{"moved"}},
	"RESCHED-008": {Evidence: []string{"preempted"}},
	"RESCHED-010": {Budgets: []string{"taint obeyed"}},
}

// Unproven are the pieces of its proof that a result lacks, a line each. Whether a fault that is there ran its whole life, whether a budget was kept
// and what a load's judges say is for package audit to tell.
func (r Result) Unproven() (lacking []string) {
	p, t := ProofOf(r.ID), r.Timeline
	if t == nil {
		t = &Timeline{}
	}
	for _, words := range slices.Sorted(maps.Keys(p.Faults)) {
		if found := len(t.faults(words)); found < p.Faults[words] {
			lacking = append(lacking, fmt.Sprintf("of %d faults %q %d are in the timeline", p.Faults[words], strings.TrimSpace(words), found))
		}
	}
	for _, name := range p.Budgets {
		if !slices.ContainsFunc(t.Spent, func(s Spent) bool { return s.Budget == name }) {
			lacking = append(lacking, fmt.Sprintf("nothing in the timeline tells that the budget %q was held", name))
		}
	}
	if p.Load {
		p.Evidence = append(slices.Clone(p.Evidence), History, Judged)
		if len(t.Lanes) == 0 {
			lacking = append(lacking, "the timeline has no lane of the clients' calls")
		}
		if !slices.ContainsFunc(t.Marks, func(m Mark) bool { return m.Kind == Phase }) {
			lacking = append(lacking, "the timeline has no phase of the load")
		}
	}
	for _, name := range p.Evidence {
		if !slices.ContainsFunc(r.Evidence, func(e Evidence) bool { return e.Name == name }) {
			lacking = append(lacking, fmt.Sprintf("there is no evidence %q", name))
		}
	}
	return lacking
}

// faults are the names of those that begin with some words and were injected, each once.
func (t *Timeline) faults(words string) map[string]bool {
	names := map[string]bool{}
	for _, m := range t.Marks {
		if m.Kind == Injected && strings.HasPrefix(m.Subject, words) {
			names[m.Subject] = true
		}
	}
	return names
}

// Proofs is how many requirements have one.
func Proofs() int { return len(proofs) }
