package state

import (
	"k8s.io/apimachinery/pkg/types"

	corev1 "k8s.io/api/core/v1"
)

// Node is one node with what is placed on it.
type Node struct {
	Name string
	// Object is nil while the node is not known (yet, or any more).
	Object      *corev1.Node
	Allocatable Resources
	// Requested sums the requests of Pods; Scoring the same with defaults for those that request nothing.
	Requested, Scoring Resources
	Pods               map[types.UID]*Pod
	// Images by every name they are known under, with their sizes in bytes.
	Images map[string]int64
}

func newNode(name string) *Node {
	return &Node{Name: name, Requested: Resources{}, Scoring: Resources{}, Pods: map[types.UID]*Pod{}}
}

func (n *Node) setObject(object *corev1.Node) {
	n.Object = object
	n.Allocatable = toResources(object.Status.Allocatable)
	n.Images = map[string]int64{}
	for _, image := range object.Status.Images {
		for _, name := range image.Names {
			n.Images[name] = image.SizeBytes
		}
	}
}

func (n *Node) add(p *Pod) {
	n.Pods[p.UID] = p
	n.Requested.add(p.Requests, +1)
	n.Scoring.add(p.Scoring, +1)
}

func (n *Node) remove(p *Pod) {
	delete(n.Pods, p.UID)
	n.Requested.add(p.Requests, -1)
	n.Scoring.add(p.Scoring, -1)
}
