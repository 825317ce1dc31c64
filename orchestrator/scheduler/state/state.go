// Package state is the scheduler's picture of the cluster: nodes with what runs on them, kept up to date by events and by the scheduler's
// own assumptions (a pod that is being bound counts as placed).
//
// scheduler feeds it from informers; rules and preempt read it. It is pure memory: no I/O, no clock. A State is not safe for concurrent
// use: scheduler guards it with one mutex.
package state

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// State of the cluster. Invariant: every placed pod stands in pods, on its node (even an unknown one), and in every tally.
type State struct {
	nodes      map[string]*Node
	order      []*Node
	pods       map[types.UID]*Pod
	namespaces map[string]labels.Set
	tallies    map[string]*Tally
	terms      map[string]*PlacedTerm
	nominated  map[types.UID]Nomination
}

// New returns an empty State.
func New() *State {
	return &State{
		nodes: map[string]*Node{}, pods: map[types.UID]*Pod{}, namespaces: map[string]labels.Set{},
		tallies: map[string]*Tally{}, terms: map[string]*PlacedTerm{}, nominated: map[types.UID]Nomination{},
	}
}

// Nodes that exist, in a stable order.
func (s *State) Nodes() []*Node { return s.order }

// Node by name; nil when it does not exist.
func (s *State) Node(name string) *Node {
	if n := s.nodes[name]; n != nil && n.Object != nil {
		return n
	}
	return nil
}

// SetNode adds or replaces a node's object. Pods that were placed there before the node was known are kept.
func (s *State) SetNode(object *corev1.Node) {
	n := s.node(object.Name)
	before := n.Object
	n.setObject(object)
	if before == nil {
		s.order = append(s.order, n)
	}
	if before == nil || !labels.Equals(before.Labels, object.Labels) {
		s.retally()
	}
}

// RemoveNode forgets a node's object; its pods stay until they are removed themselves.
func (s *State) RemoveNode(name string) {
	n := s.nodes[name]
	if n == nil || n.Object == nil {
		return
	}
	n.Object = nil
	for i, o := range s.order {
		if o == n {
			s.order = append(s.order[:i:i], s.order[i+1:]...)
			break
		}
	}
	if len(n.Pods) == 0 {
		delete(s.nodes, name)
	}
	s.retally()
}

// node returns the entry of a name, known or not.
func (s *State) node(name string) *Node {
	n := s.nodes[name]
	if n == nil {
		n = newNode(name)
		s.nodes[name] = n
	}
	return n
}

// Place adds a pod to its node (pod.Spec.NodeName), or replaces an older version of it. The pod's own nomination ends.
func (s *State) Place(object *corev1.Pod) {
	s.Remove(object.UID)
	p := NewPod(object)
	s.pods[object.UID] = p
	n := s.node(object.Spec.NodeName)
	n.add(p)
	s.tally(p, n, +1)
	delete(s.nominated, object.UID)
}

// Remove takes a pod away; removing an unknown one does nothing.
func (s *State) Remove(uid types.UID) {
	p := s.pods[uid]
	if p == nil {
		return
	}
	delete(s.pods, uid)
	n := s.node(p.Spec.NodeName)
	s.tally(p, n, -1)
	n.remove(p)
	if n.Object == nil && len(n.Pods) == 0 {
		delete(s.nodes, n.Name)
	}
}

// Placed returns the pod as it stands in the state; nil when it is not placed.
func (s *State) Placed(uid types.UID) *Pod { return s.pods[uid] }

// SetNamespace keeps a namespace's labels, for namespace selectors.
func (s *State) SetNamespace(name string, set labels.Set) {
	if labels.Equals(s.namespaces[name], set) {
		return
	}
	s.namespaces[name] = set
	s.retally()
}

// RemoveNamespace forgets its labels. Pods of it that are still placed, and were counted with them, are counted again without.
func (s *State) RemoveNamespace(name string) {
	s.SetNamespace(name, nil)
	delete(s.namespaces, name)
}

// Nomination is a pod that has made room for itself on a node by preemption and waits for its victims to end.
type Nomination struct {
	Pod  *Pod
	Node string
}

// Nominate keeps room for a pod on a node.
func (s *State) Nominate(pod *Pod, node string) {
	s.nominated[pod.UID] = Nomination{Pod: pod, Node: node}
}

// Unnominate ends it.
func (s *State) Unnominate(uid types.UID) { delete(s.nominated, uid) }

// NominatedOver returns the other pods nominated to a node whose priority is at least that of pod.
func (s *State) NominatedOver(pod *Pod, node string) []*Pod {
	var over []*Pod
	for uid, n := range s.nominated {
		if uid != pod.UID && n.Node == node && n.Pod.Priority >= pod.Priority {
			over = append(over, n.Pod)
		}
	}
	return over
}

// NamespaceLabels of a namespace; nil when it is not known.
func (s *State) NamespaceLabels(name string) labels.Set { return s.namespaces[name] }
