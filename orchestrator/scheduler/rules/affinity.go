package rules

import (
	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

// interPodAffinity obeys what a pod requires of pods already placed, and what placed pods require of it. A node stands for the value of the
// term's topology key: one that lacks the key fulfils no affinity and violates no anti-affinity.
func interPodAffinity() *Rule {
	return &Rule{
		Name: "InterPodAffinity", Wakes: NodeAdded | NodeLabels | PodPlaced | PodRemoved | PodLabels | NamespaceLabels,
		Filter: func(p *state.Pod, s *state.State) Filter {
			checks := []Filter{wanted(p, s), unwanted(p, s), refusedByPlaced(p, s)}
			if checks[0] == nil && checks[1] == nil && checks[2] == nil {
				return nil
			}
			return func(n *state.Node) []Refusal {
				for _, check := range checks {
					if check == nil {
						continue
					}
					if r := check(n); r != nil {
						return r
					}
				}
				return nil
			}
		},
		Score: affinityScore,
	}
}

// wanted: every required affinity term has a matching pod in the node's domain. The first pod of a group that wants itself near is let in
// anywhere that has the keys.
func wanted(p *state.Pod, s *state.State) Filter {
	if len(p.Affinity) == 0 {
		return nil
	}
	tallies := make([]*state.Tally, len(p.Affinity))
	total, matchesSelf := 0, true
	for i := range p.Affinity {
		tallies[i] = s.Tally(p.Affinity[i])
		total += tallies[i].Total
		matchesSelf = matchesSelf && p.Affinity[i].Matches(p.Pod, s.NamespaceLabels(p.Namespace))
	}
	first := total == 0 && matchesSelf
	return func(n *state.Node) []Refusal {
		for _, t := range tallies {
			value, ok := n.Object.Labels[t.Term.TopologyKey]
			if !ok || (t.ByValue[value] == 0 && !first) {
				return refuse("node(s) didn't match pod affinity rules", true)
			}
		}
		return nil
	}
}

func unwanted(p *state.Pod, s *state.State) Filter {
	if len(p.AntiAffinity) == 0 {
		return nil
	}
	tallies := make([]*state.Tally, len(p.AntiAffinity))
	for i := range p.AntiAffinity {
		tallies[i] = s.Tally(p.AntiAffinity[i])
	}
	return func(n *state.Node) []Refusal {
		for _, t := range tallies {
			if value, ok := n.Object.Labels[t.Term.TopologyKey]; ok && t.ByValue[value] > 0 {
				return refuse("node(s) didn't match pod anti-affinity rules", false)
			}
		}
		return nil
	}
}

// refusedByPlaced: no placed pod in the node's domain requires this pod away.
func refusedByPlaced(p *state.Pod, s *state.State) Filter {
	var concerned []*state.PlacedTerm
	for _, t := range s.PlacedTerms() {
		if len(t.Refusals) > 0 && t.Matches(p.Pod, s.NamespaceLabels(p.Namespace)) {
			concerned = append(concerned, t)
		}
	}
	if len(concerned) == 0 {
		return nil
	}
	return func(n *state.Node) []Refusal {
		for _, t := range concerned {
			if value, ok := n.Object.Labels[t.TopologyKey]; ok && t.Refusals[value] > 0 {
				return refuse("node(s) didn't satisfy existing pods anti-affinity rules", false)
			}
		}
		return nil
	}
}

// affinityScore sums what the pod prefers near it and what placed pods prefer near them.
func affinityScore(p *state.Pod, s *state.State) *Score {
	type share struct {
		key     string
		byValue map[string]int64
	}
	var shares []share
	for _, t := range s.PlacedTerms() {
		if len(t.Weights) > 0 && t.Matches(p.Pod, s.NamespaceLabels(p.Namespace)) {
			shares = append(shares, share{t.TopologyKey, t.Weights})
		}
	}
	own := func(terms []state.WeightedTerm, sign int64) {
		for i := range terms {
			weights := map[string]int64{}
			for value, count := range s.Tally(terms[i].Term).ByValue {
				weights[value] = sign * terms[i].Weight * int64(count)
			}
			shares = append(shares, share{terms[i].TopologyKey, weights})
		}
	}
	own(p.PreferredAffinity, +1)
	own(p.PreferredAntiAffinity, -1)
	if len(shares) == 0 {
		return nil
	}
	return &Score{Weight: 2, Normalize: spreadOut, Of: func(n *state.Node) (sum int64) {
		for _, sh := range shares {
			if value, ok := n.Object.Labels[sh.key]; ok {
				sum += sh.byValue[value]
			}
		}
		return sum
	}}
}

// spreadOut maps the lowest score to 0 and the highest to MaxScore; equal scores all become 0.
func spreadOut(scores []int64) {
	if len(scores) == 0 {
		return
	}
	low, high := scores[0], scores[0]
	for _, s := range scores {
		low, high = min(low, s), max(high, s)
	}
	for i, s := range scores {
		if high == low {
			scores[i] = 0
		} else {
			scores[i] = MaxScore * (s - low) / (high - low)
		}
	}
}
