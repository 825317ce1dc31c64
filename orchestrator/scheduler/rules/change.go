package rules

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Event is a set of changes in the cluster.
type Event uint

// The changes that may make room for a refused pod.
const (
	NodeAdded Event = 1 << iota
	NodeLabels
	NodeTaints
	PodPlaced
	// PodEnding: a pod was told to end. It holds its resources and ports until it has, but spreads no longer count it.
	PodEnding
	PodRemoved
	PodLabels
	NamespaceLabels
	// Anything wakes every pod.
	Anything Event = ^Event(0)
)

// Change is what happened: events, and the resources of which some node may have more now.
type Change struct {
	Events Event
	Freed  []corev1.ResourceName
}

// Happened is a change without resources.
func Happened(events Event) Change { return Change{Events: events} }

// And unites two changes.
func (c Change) And(other Change) Change {
	return Change{Events: c.Events | other.Events, Freed: slices.Concat(c.Freed, other.Freed)}
}

// Need is what may help a refused pod. A pod that is woken by what cannot help it is refused once more and pauses longer: then another one,
// of lower priority, takes the room that is made meanwhile.
type Need struct {
	Events    Event
	Resources []corev1.ResourceName
}

// NeedOf unites what can help against each refusal. A cluster without nodes waits for one.
func NeedOf(refused map[string][]Refusal) Need {
	need := Need{Events: NodeAdded}
	for _, of := range refused {
		for _, r := range of {
			need.Events |= r.Rule.Wakes
			if r.Lacks != "" && !slices.Contains(need.Resources, r.Lacks) {
				need.Resources = append(need.Resources, r.Lacks)
			}
		}
	}
	return need
}

// HelpedBy tells whether a change may be what the pod waits for.
func (n Need) HelpedBy(c Change) bool {
	return n.Events&c.Events != 0 || slices.ContainsFunc(c.Freed, func(name corev1.ResourceName) bool { return slices.Contains(n.Resources, name) })
}
