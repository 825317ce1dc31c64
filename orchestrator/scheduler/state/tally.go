package state

// Tally counts placed pods that a term matches, per node and per value of its topology key. It is kept up to date with each pod that is
// placed or removed, so that a rule reads it in constant time per node.
type Tally struct {
	Term    Term
	Total   int
	ByValue map[string]int
	ByNode  map[string]int
}

// maxTallies bounds what is kept for terms that no pending pod may ask for again.
const maxTallies = 4096

// Tally returns the count of a term, made on the first call and kept from then on.
func (s *State) Tally(t Term) *Tally {
	if have := s.tallies[t.Key]; have != nil {
		return have
	}
	if len(s.tallies) >= maxTallies {
		clear(s.tallies)
	}
	made := &Tally{Term: t, ByValue: map[string]int{}, ByNode: map[string]int{}}
	for _, p := range s.pods {
		made.count(s, p, s.node(p.Spec.NodeName), +1)
	}
	s.tallies[t.Key] = made
	return made
}

func (t *Tally) count(s *State, p *Pod, n *Node, by int) {
	if !t.Term.Matches(p.Pod, s.namespaces[p.Namespace]) {
		return
	}
	t.Total += by
	t.ByNode[n.Name] += by
	if n.Object == nil {
		return
	}
	if value, ok := n.Object.Labels[t.Term.TopologyKey]; ok {
		t.ByValue[value] += by
	}
}

// PlacedTerm is a term that placed pods carry: what they refuse (anti-affinity) or want near them, counted per value of its topology key.
type PlacedTerm struct {
	Term
	// Refusals are pods that require the matched ones away. Weights sums what placed pods prefer (positive) or would rather not (negative),
	// with hardAffinityWeight for each required affinity.
	Refusals map[string]int
	Weights  map[string]int64
	users    int
}

// hardAffinityWeight is what a placed pod's required affinity is worth to a newcomer (KubeSchedulerConfiguration, default of hardPodAffinityWeight).
const hardAffinityWeight = 1

// PlacedTerms are the distinct terms of all placed pods.
func (s *State) PlacedTerms() map[string]*PlacedTerm { return s.terms }

// tally counts a pod in (by = 1) or out (by = -1) everywhere.
func (s *State) tally(p *Pod, n *Node, by int) {
	for _, t := range s.tallies {
		t.count(s, p, n, by)
	}
	s.tallyTerms(p, n, by)
}

func (s *State) tallyTerms(p *Pod, n *Node, by int) {
	for i := range p.AntiAffinity {
		s.placed(&p.AntiAffinity[i], n, by, 1, 0)
	}
	for i := range p.Affinity {
		s.placed(&p.Affinity[i], n, by, 0, hardAffinityWeight)
	}
	for i := range p.PreferredAffinity {
		s.placed(&p.PreferredAffinity[i].Term, n, by, 0, p.PreferredAffinity[i].Weight)
	}
	for i := range p.PreferredAntiAffinity {
		s.placed(&p.PreferredAntiAffinity[i].Term, n, by, 0, -p.PreferredAntiAffinity[i].Weight)
	}
}

func (s *State) placed(t *Term, n *Node, by, refusals int, weight int64) {
	have := s.terms[t.Key]
	if have == nil {
		have = &PlacedTerm{Term: *t, Refusals: map[string]int{}, Weights: map[string]int64{}}
		s.terms[t.Key] = have
	}
	if have.users += by; have.users == 0 {
		delete(s.terms, t.Key)
		return
	}
	if n.Object == nil {
		return
	}
	if value, ok := n.Object.Labels[t.TopologyKey]; ok {
		have.Refusals[value] += by * refusals
		have.Weights[value] += int64(by) * weight
	}
}

// retally forgets the counts and counts again: after a change of node or namespace labels, which is rare.
func (s *State) retally() {
	clear(s.tallies)
	clear(s.terms)
	for _, p := range s.pods {
		s.tallyTerms(p, s.node(p.Spec.NodeName), +1)
	}
}
