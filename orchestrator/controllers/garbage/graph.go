package garbage

import (
	"slices"
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
	uid                    types.UID
	apiVersion, kind, name string
	blocks                 bool
}

// group of the owner; that of a malformed version is none of an object that was seen.
func (e edge) group() string {
	gv, err := schema.ParseGroupVersion(e.apiVersion)
	if err != nil {
		return e.apiVersion
	}
	return gv.Group
}

// node is what the collector keeps of an object.
type node struct {
	identity
	kind   string
	uid    types.UID
	owners []edge
	// deleting, foreground and orphaning are the deletion timestamp and the two finalizers that are ours to act on.
	deleting, foreground, orphaning bool
	// seen is false for an owner that only references tell of.
	seen       bool
	dependents map[types.UID]*node
}

// is tells whether the node is what a reference made in that namespace means: its UID alone says nothing of where it is, or what.
func (n *node) is(e edge, namespace string) bool {
	return n.uid == e.uid && n.resource.Group == e.group() && n.kind == e.kind && n.name == e.name && !n.elsewhere(namespace)
}

// elsewhere: nothing in that namespace, or without one, can be owned by the node.
func (n *node) elsewhere(namespace string) bool { return n.namespace != "" && n.namespace != namespace }

// stray is a reference to an object of another namespace.
type stray struct {
	from node
	to   edge
}

// graph of owners. Its methods return the UIDs to look at again.
type graph struct {
	mu    sync.Mutex
	nodes map[types.UID]*node
}

func newGraph() *graph { return &graph{nodes: map[types.UID]*node{}} }

// put takes in an object of a kind as it is now. strays are the references that are seen only now to be such.
func (g *graph) put(at identity, kind string, o meta.Object) (again []types.UID, strays []stray) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.nodes[o.GetUID()]
	if n == nil {
		n = &node{uid: o.GetUID(), dependents: map[types.UID]*node{}}
		g.nodes[n.uid] = n
	}
	wasForeground, wasOrphaning, before := n.foreground, n.orphaning, n.owners
	appeared := !n.seen
	n.identity, n.kind, n.seen = at, kind, true
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
	if appeared {
		for _, d := range n.dependents {
			again, strays = n.met(d, d.owners, again, strays)
		}
	}
	for _, e := range n.owners {
		if owner := g.nodes[e.uid]; owner.seen && !slices.Contains(before, e) {
			_, strays = owner.met(n, []edge{e}, nil, strays)
		}
	}
	return append(again, g.judged(n, before)...), strays
}

// met: a dependent whose references mean something else than the owner of that UID is to be looked at.
func (n *node) met(d *node, edges []edge, again []types.UID, strays []stray) ([]types.UID, []stray) {
	for _, e := range edges {
		if e.uid != n.uid || n.is(e, d.namespace) {
			continue
		}
		again = append(again, d.uid)
		if n.elsewhere(d.namespace) {
			from := *d
			from.dependents = nil
			strays = append(strays, stray{from, e})
		}
	}
	return again, strays
}

// judged are the UIDs to look at because n's owners changed.
func (g *graph) judged(n *node, before []edge) (again []types.UID) {
	for _, e := range n.owners {
		if owner := g.nodes[e.uid]; owner == nil || !owner.seen || owner.foreground || !owner.is(e, n.namespace) {
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

// living: what the reference means was seen and is not being deleted in the foreground.
func (g *graph) living(e edge, namespace string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.nodes[e.uid]
	return n != nil && n.seen && !n.foreground && n.is(e, namespace)
}

func edgesOf(o meta.Object) []edge {
	refs := o.GetOwnerReferences()
	out := make([]edge, 0, len(refs))
	for _, r := range refs {
		out = append(out, edgeOf(r))
	}
	return out
}

func edgeOf(r meta.OwnerReference) edge {
	return edge{r.UID, r.APIVersion, r.Kind, r.Name, r.BlockOwnerDeletion != nil && *r.BlockOwnerDeletion}
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
