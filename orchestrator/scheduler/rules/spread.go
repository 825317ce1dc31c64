package rules

import (
	"math"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

// topologySpread obeys topologySpreadConstraints: DoNotSchedule ones filter, ScheduleAnyway ones rate. A pod without constraints is rated by
// stock's defaults: spread over hosts (skew 3) and zones (skew 5) among the pods of its owner's selector.
func topologySpread() *Rule {
	return &Rule{
		Name: "PodTopologySpread", Wakes: NodeAdded | NodeLabels | NodeTaints | PodPlaced | PodEnding | PodRemoved | PodLabels,
		Filter: func(p *state.Pod, s *state.State) Filter {
			var hard []*spread
			for i := range p.Spec.TopologySpreadConstraints {
				c := &p.Spec.TopologySpreadConstraints[i]
				if c.WhenUnsatisfiable == corev1.DoNotSchedule {
					hard = append(hard, newSpread(c, p, s))
				}
			}
			if len(hard) == 0 {
				return nil
			}
			requireAllKeys(hard, s)
			return func(n *state.Node) []Refusal { return spreadRefusal(hard, n) }
		},
		Score: spreadScore,
	}
}

// spread is one constraint with the counts of its domains among eligible nodes.
type spread struct {
	key     string
	maxSkew int64
	// minDomains is 1 unless the constraint says more: with fewer domains than that, the least is taken as 0.
	minDomains int
	self       int64
	tally      *state.Tally
	eligible   func(n *state.Node) bool
	counts     map[string]int64
	least      int64
}

func newSpread(c *corev1.TopologySpreadConstraint, p *state.Pod, s *state.State) *spread {
	selector := state.WithKeys(state.Selector(c.LabelSelector), c.MatchLabelKeys, p.Labels)
	made := &spread{
		key: c.TopologyKey, maxSkew: int64(c.MaxSkew), minDomains: 1,
		tally:    s.Tally(state.NewSpreadTerm(c.TopologyKey, p.Namespace, selector)),
		eligible: eligibility(c, p),
	}
	if c.MinDomains != nil {
		made.minDomains = int(*c.MinDomains)
	}
	if selector.Matches(labels.Set(p.Labels)) {
		made.self = 1
	}
	return made
}

// eligibility obeys nodeAffinityPolicy (default Honor) and nodeTaintsPolicy (default Ignore).
func eligibility(c *corev1.TopologySpreadConstraint, p *state.Pod) func(*state.Node) bool {
	required := nodeaffinity.GetRequiredNodeAffinity(p.Pod)
	honorAffinity := c.NodeAffinityPolicy == nil || *c.NodeAffinityPolicy == corev1.NodeInclusionPolicyHonor
	honorTaints := c.NodeTaintsPolicy != nil && *c.NodeTaintsPolicy == corev1.NodeInclusionPolicyHonor
	return func(n *state.Node) bool {
		if honorAffinity {
			if match, err := required.Match(n.Object); err != nil || !match {
				return false
			}
		}
		return !honorTaints || toleratesAll(p, n)
	}
}

func toleratesAll(p *state.Pod, n *state.Node) bool {
	for i := range n.Object.Spec.Taints {
		taint := &n.Object.Spec.Taints[i]
		if taint.Effect != corev1.TaintEffectPreferNoSchedule && !tolerated(taint, p.Spec.Tolerations) {
			return false
		}
	}
	return true
}

// requireAllKeys counts domains over the eligible nodes that carry the keys of all constraints.
func requireAllKeys(all []*spread, s *state.State) {
	for _, c := range all {
		c.counts = map[string]int64{}
	}
	for _, n := range s.Nodes() {
		if !hasKeys(all, n) {
			continue
		}
		for _, c := range all {
			if c.eligible(n) {
				c.counts[n.Object.Labels[c.key]] += int64(c.tally.ByNode[n.Name])
			}
		}
	}
	for _, c := range all {
		c.least = math.MaxInt64
		for _, count := range c.counts {
			c.least = min(c.least, count)
		}
		if len(c.counts) < c.minDomains {
			c.least = 0
		}
	}
}

func hasKeys(all []*spread, n *state.Node) bool {
	for _, c := range all {
		if _, ok := n.Object.Labels[c.key]; !ok {
			return false
		}
	}
	return true
}

func spreadRefusal(hard []*spread, n *state.Node) []Refusal {
	const reason = "node(s) didn't match pod topology spread constraints"
	for _, c := range hard {
		value, ok := n.Object.Labels[c.key]
		if !ok {
			return refuse(reason+" (missing required label)", true)
		}
		// A domain without eligible nodes holds nothing that counts.
		if c.counts[value]+c.self-c.least > c.maxSkew {
			return refuse(reason, false)
		}
	}
	return nil
}

// spreadScore rates by the ScheduleAnyway constraints: fewer matching pods in a domain are better, the more so the fewer domains there are.
func spreadScore(p *state.Pod, s *state.State) *Score {
	var soft []*spread
	for _, c := range softConstraints(p) {
		soft = append(soft, newSpread(&c, p, s))
	}
	if len(soft) == 0 {
		return nil
	}
	requireAllKeys(soft, s)
	return &Score{Weight: 2, Normalize: fewestBest, Of: func(n *state.Node) int64 {
		if len(p.Spec.TopologySpreadConstraints) > 0 && !hasKeys(soft, n) {
			return ignored
		}
		var sum float64
		for _, c := range soft {
			if value, ok := n.Object.Labels[c.key]; ok {
				sum += float64(c.counts[value])*math.Log(float64(len(c.counts)+2)) + float64(c.maxSkew-1)
			}
		}
		return int64(math.Round(sum))
	}}
}

// ignored marks a node that lacks a constraint's key: it gets the worst score.
const ignored = -1

// softConstraints are the pod's own, or the defaults: by its labels, as the pods of one ReplicaSet share their template hash.
func softConstraints(p *state.Pod) []corev1.TopologySpreadConstraint {
	var soft []corev1.TopologySpreadConstraint
	for _, c := range p.Spec.TopologySpreadConstraints {
		if c.WhenUnsatisfiable == corev1.ScheduleAnyway {
			soft = append(soft, c)
		}
	}
	owner := metav1.GetControllerOf(p.Pod)
	if len(p.Spec.TopologySpreadConstraints) > 0 || owner == nil || len(p.Labels) == 0 {
		return soft
	}
	own := &metav1.LabelSelector{MatchLabels: p.Labels}
	return []corev1.TopologySpreadConstraint{
		{MaxSkew: 3, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway, LabelSelector: own},
		{MaxSkew: 5, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.ScheduleAnyway, LabelSelector: own},
	}
}

func fewestBest(scores []int64) {
	low, high := int64(math.MaxInt64), int64(0)
	for _, s := range scores {
		if s != ignored {
			low, high = min(low, s), max(high, s)
		}
	}
	for i, s := range scores {
		switch {
		case s == ignored:
			scores[i] = 0
		case high == 0:
			scores[i] = MaxScore
		default:
			scores[i] = MaxScore * (high + low - s) / high
		}
	}
}
