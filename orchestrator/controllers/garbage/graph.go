package garbage

import (
	"sync"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// identity says where an object is.
type identity struct {
	resource        schema.GroupVersionResource
	namespace, name string
}

// edge is an owner reference.
type edge struct {
	uid              types.UID
	apiVersion, kind string
	name             string
	blocks           bool
}

// node is what the collector keeps of an object.
type node struct {
	identity
	uid    types.UID
	owners []edge
	// deleting, foreground and orphaning are the deletion timestamp and the two finalizers that are ours to act on.
	deleting, foreground, orphaning bool
	// seen is false for an owner that only references tell of.
	seen       bool
	dependents map[types.UID]*node
}

// graph of owners. Its methods return the UIDs to look at again.
type graph struct {
	mu    sync.Mutex
	nodes map[types.UID]*node
}

func newGraph() *graph { return &graph{nodes: map[types.UID]*node{}} }

// put takes in an object as it is now.
func (g *graph) put(at identity, o meta.Object) (again []types.UID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.nodes[o.GetUID()]
	if n == nil {
		n = &node{uid: o.GetUID(), dependents: map[types.UID]*node{}}
		g.nodes[n.uid] = n
	}
	wasForeground, wasOrphaning, before := n.foreground, n.orphaning, n.owners
	n.identity, n.seen = at, true
	n.deleting = o.GetDeletionTimestamp() != nil
	n.foreground = n.deleting && has(o.GetFinalizers(), meta.FinalizerDeleteDependents)
	n.orphaning = n.deleting && has(o.GetFinalizers(), meta.FinalizerOrphanDependents)
	g.link(n, edgesOf(o))
	if n.foreground && !wasForeground {
		again = append(again, n.uid)
		for uid := range n.dependents {
			again = append(again, uid)
		}
	}
	if n.orphaning && !wasOrphaning {
		again = append(again, n.uid)
	}
	again = append(again, g.judged(n, before)...)
	return again
}

// judged are the UIDs to look at because n's owners changed.
func (g *graph) judged(n *node, before []edge) (again []types.UID) {
	for _, e := range n.owners {
		if owner := g.nodes[e.uid]; owner == nil || !owner.seen || owner.foreground || owner.namespace != "" && owner.namespace != n.namespace {
			again = append(again, n.uid)
			break
		}
	}
	for _, e := range before {
		if owner := g.nodes[e.uid]; owner != nil && owner.foreground {
			again = append(again, owner.uid) // it may have waited for n, which is no longer its dependent or blocks no longer
		}
	}
	return again
}

func (g *graph) link(n *node, owners []edge) {
	for _, e := range n.owners {
		if owner := g.nodes[e.uid]; owner != nil {
			delete(owner.dependents, n.uid)
			g.sweep(owner)
		}
	}
	n.owners = owners
	for _, e := range owners {
		owner := g.nodes[e.uid]
		if owner == nil {
			owner = &node{uid: e.uid, dependents: map[types.UID]*node{}}
			g.nodes[e.uid] = owner
		}
		owner.dependents[n.uid] = n
	}
}

// sweep forgets an unseen owner that nobody refers to.
func (g *graph) sweep(n *node) {
	if !n.seen && len(n.dependents) == 0 {
		delete(g.nodes, n.uid)
	}
}

// gone forgets an object; its dependents, and owners that waited for it, are to be looked at.
func (g *graph) gone(uid types.UID) (again []types.UID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.nodes[uid]
	if n == nil {
		return nil
	}
	n.seen, n.deleting, n.foreground, n.orphaning = false, false, false, false
	for dependent := range n.dependents {
		again = append(again, dependent)
	}
	for _, e := range n.owners {
		if owner := g.nodes[e.uid]; owner != nil && owner.foreground {
			again = append(again, owner.uid)
		}
	}
	g.link(n, nil)
	g.sweep(n)
	return again
}

// view is a copy of a node that can be read without the lock.
type view struct {
	node
	dependents []node
}

func (g *graph) view(uid types.UID) (view, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.nodes[uid]
	if n == nil || !n.seen {
		return view{}, false
	}
	v := view{node: *n}
	v.node.dependents = nil
	for _, d := range n.dependents {
		c := *d
		c.dependents = nil
		v.dependents = append(v.dependents, c)
	}
	return v, true
}

// present is true for a UID whose object was seen, and says where it is.
func (g *graph) present(uid types.UID) (identity, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.nodes[uid]
	if n == nil || !n.seen {
		return identity{}, false
	}
	return n.identity, true
}

func edgesOf(o meta.Object) []edge {
	refs := o.GetOwnerReferences()
	out := make([]edge, 0, len(refs))
	for _, r := range refs {
		out = append(out, edge{r.UID, r.APIVersion, r.Kind, r.Name, r.BlockOwnerDeletion != nil && *r.BlockOwnerDeletion})
	}
	return out
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
