package rules

import (
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

// nodeResources refuses nodes whose free resources do not cover the pod's requests, and likes the emptiest node (LeastAllocated over cpu and memory).
func nodeResources() *Rule {
	return &Rule{
		Name: "NodeResourcesFit", Wakes: NodeAdded,
		Filter: func(p *state.Pod, _ *state.State) Filter {
			return func(n *state.Node) []Refusal { return shortages(p, n) }
		},
		Score: func(p *state.Pod, _ *state.State) *Score {
			return &Score{Weight: 1, Of: func(n *state.Node) int64 { return leastAllocated(p, n) }}
		},
	}
}

// shortages are all resources that the node lacks, in stock's words. More than the node has in all is final.
func shortages(p *state.Pod, n *state.Node) []Refusal {
	var refused []Refusal
	if int64(len(n.Pods))+1 > n.Allocatable[corev1.ResourcePods] {
		refused = append(refused, Refusal{Reason: "Too many pods", Lacks: corev1.ResourcePods})
	}
	for _, name := range ordered(p.Requests) {
		asked := p.Requests[name]
		if asked > 0 && asked > n.Allocatable[name]-n.Requested[name] {
			refused = append(refused, Refusal{Reason: "Insufficient " + string(name), Final: asked > n.Allocatable[name], Lacks: name})
		}
	}
	return refused
}

// ordered puts cpu, memory and ephemeral-storage first, then the rest by name.
func ordered(r state.Resources) []corev1.ResourceName {
	names := []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage}
	var rest []corev1.ResourceName
	for name := range r {
		if name != names[0] && name != names[1] && name != names[2] && name != corev1.ResourcePods {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	return append(names, rest...)
}

// scored are the resources that nodes are compared by.
var scored = []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory}

func leastAllocated(p *state.Pod, n *state.Node) int64 {
	var sum, count int64
	for _, name := range scored {
		capacity := n.Allocatable[name]
		if capacity == 0 {
			continue
		}
		used := n.Scoring[name] + p.Scoring[name]
		if used <= capacity {
			sum += (capacity - used) * MaxScore / capacity
		}
		count++
	}
	if count == 0 {
		return 0
	}
	return sum / count
}

// balancedAllocation likes nodes on which cpu and memory would be used to the same degree.
func balancedAllocation() *Rule {
	return &Rule{
		Name: "NodeResourcesBalancedAllocation",
		Score: func(p *state.Pod, _ *state.State) *Score {
			if len(p.Requests) == 0 {
				return nil // a pod that requests nothing balances nothing
			}
			return &Score{Weight: 1, Of: func(n *state.Node) int64 { return balance(p, n) }}
		},
	}
}

// balance is MaxScore less the standard deviation of the used fractions; of two fractions that is half their difference.
func balance(p *state.Pod, n *state.Node) int64 {
	var fractions []float64
	for _, name := range scored {
		if capacity := n.Allocatable[name]; capacity > 0 {
			fractions = append(fractions, min(1, float64(n.Requested[name]+p.Requests[name])/float64(capacity)))
		}
	}
	if len(fractions) < 2 {
		return MaxScore
	}
	deviation := math.Abs(fractions[0]-fractions[1]) / 2
	return int64((1 - deviation) * MaxScore)
}
