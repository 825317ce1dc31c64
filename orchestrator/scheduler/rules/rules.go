// Package rules decides which nodes may run a pod and which of them suit it best: one rule per file.
//
// A rule's Filter and Score read the pod once, by Prepare; what they return looks at one node after another in constant time, for the counters
// that it needs are kept by state as pods and nodes change. Wakes names the events after which a refused pod may fit. A rule explains a refusal in
// stock's words, since people and tests read them. Fed by scheduler and preempt; it alters nothing.
package rules

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

// Refusal says why a node cannot run a pod.
type Refusal struct {
	// Reason is stock's wording, as it stands behind the number of nodes in events.
	Reason string
	// Final is true when removing pods from the node cannot help.
	Final bool
	// Rule that refused.
	Rule *Rule
	// Lacks is the resource of which there is too little, if that is why.
	Lacks corev1.ResourceName
}

// Filter judges one node.
type Filter func(n *state.Node) []Refusal

// Score rates one node; what the numbers mean is up to the rule, Normalize makes them 0 to MaxScore.
type Score struct {
	Of        func(n *state.Node) int64
	Normalize func(scores []int64)
	Weight    int64
}

// MaxScore is the best a node can get from one rule.
const MaxScore = 100

// Rule is one entry of the list.
type Rule struct {
	Name string
	// Filter prepares the pod's filter; a nil result means that the rule does not concern the pod.
	Filter func(p *state.Pod, s *state.State) Filter
	// Score prepares the pod's scores, or none.
	Score func(p *state.Pod, s *state.State) *Score
	// Wakes are the events after which a pod that this rule refused may fit; more of a resource that it lacks helps besides.
	Wakes Event
}

// All rules in the order in which they filter. Weights of scores are stock's defaults.
func All() []*Rule {
	return []*Rule{
		nodeUnschedulable(), nodeName(), taintToleration(), nodeAffinity(), nodePorts(), nodeResources(), balancedAllocation(),
		topologySpread(), interPodAffinity(), imageLocality(),
	}
}

// Prepared is every rule's view of one pod against one state. It is stale as soon as the state changes.
type Prepared struct {
	filters []prepared
	scores  []*Score
}

type prepared struct {
	rule   *Rule
	filter Filter
}

// Prepare readies all rules for a pod.
func Prepare(all []*Rule, p *state.Pod, s *state.State) *Prepared {
	made := PrepareFilters(all, p, s)
	for _, r := range all {
		if r.Score == nil {
			continue
		}
		if score := r.Score(p, s); score != nil {
			made.scores = append(made.scores, score)
		}
	}
	return made
}

// PrepareFilters readies the filters only.
func PrepareFilters(all []*Rule, p *state.Pod, s *state.State) *Prepared {
	made := &Prepared{}
	for _, r := range all {
		if r.Filter == nil {
			continue
		}
		if f := r.Filter(p, s); f != nil {
			made.filters = append(made.filters, prepared{r, f})
		}
	}
	return made
}

// Refusals of a node, all from the first rule that refuses it; none when the pod fits.
func (p *Prepared) Refusals(n *state.Node) []Refusal {
	for _, f := range p.filters {
		if refused := f.filter(n); len(refused) > 0 {
			for i := range refused {
				refused[i].Rule = f.rule
			}
			return refused
		}
	}
	return nil
}

// Scores sums the weighted scores of each node.
func (p *Prepared) Scores(nodes []*state.Node) []int64 {
	total := make([]int64, len(nodes))
	each := make([]int64, len(nodes))
	for _, s := range p.scores {
		for i, n := range nodes {
			each[i] = s.Of(n)
		}
		if s.Normalize != nil {
			s.Normalize(each)
		}
		for i := range total {
			total[i] += each[i] * s.Weight
		}
	}
	return total
}

// refuse is a list of one.
func refuse(reason string, final bool) []Refusal { return []Refusal{{Reason: reason, Final: final}} }

// scaleToMax makes the largest score MaxScore; reverse makes the smallest one best.
func scaleToMax(reverse bool) func([]int64) {
	return func(scores []int64) {
		var highest int64
		for _, s := range scores {
			highest = max(highest, s)
		}
		for i, s := range scores {
			if highest > 0 {
				s = s * MaxScore / highest
			}
			if reverse {
				s = MaxScore - s
			}
			scores[i] = s
		}
	}
}
