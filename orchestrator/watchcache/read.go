package watchcache

import (
	"strings"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// Snapshot is a resource's objects at one revision.
type Snapshot struct {
	tree *tree
	// index is nil in snapshots of the past.
	index    *tree
	revision int64
}

// resource by prefix; nil when there is none.
func (c *Cache) resource(prefix string) *resource { return (*c.resources.Load())[prefix] }

// Get returns one object.
func (c *Cache) Get(prefix, key string) (*Object, bool) {
	r := c.resource(prefix)
	if r == nil {
		return nil, false
	}
	return r.snapshot.Load().Get(key)
}

// Snapshot of a resource's present; empty when there is no such resource.
func (c *Cache) Snapshot(prefix string) *Snapshot {
	// The revision is read first: a snapshot loaded after it holds all that it covers.
	revision := c.Revision()
	r := c.resource(prefix)
	if r == nil {
		return &Snapshot{tree: newTree(), revision: revision}
	}
	s := r.snapshot.Load()
	return &Snapshot{tree: s.tree, index: s.index, revision: max(s.revision, revision)}
}

// SnapshotAt is the past: the present with later events undone. ErrTooOld when that revision was replaced longer than the window ago, or
// the log does not reach back that far: then the store knows. The revision must not be ahead of the cache.
func (c *Cache) SnapshotAt(prefix string, revision int64) (*Snapshot, error) {
	r := c.resource(prefix)
	if r == nil {
		return nil, ErrUnknownResource
	}
	if !c.withinWindow(revision) {
		return nil, ErrTooOld
	}
	// Cloning alters the tree that is cloned: only one at a time may.
	r.mu.Lock()
	defer r.mu.Unlock()
	if revision < r.log.floor {
		return nil, ErrTooOld
	}
	later := r.log.events[r.log.after(revision)-r.log.base:]
	if len(later) == 0 {
		return &Snapshot{tree: r.snapshot.Load().tree, revision: revision}, nil
	}
	t := r.snapshot.Load().tree.Clone()
	for i := len(later) - 1; i >= 0; i-- {
		switch e := later[i]; e.Type {
		case Added:
			t.Delete(e.Object)
		default:
			t.ReplaceOrInsert(e.Previous)
		}
	}
	return &Snapshot{tree: t, revision: revision}, nil
}

// Build makes a snapshot of entries that were read from the store at a revision: for moments that the cache no longer holds.
func (c *Cache) Build(prefix string, entries []store.Entry) *Snapshot {
	t := newTree()
	r := c.resource(prefix)
	if r == nil {
		return &Snapshot{tree: t}
	}
	for _, e := range entries {
		if o := r.object(e.Key, e.Value, e.ModRevision); o != nil {
			t.ReplaceOrInsert(o)
		}
	}
	return &Snapshot{tree: t}
}

// Revision that the snapshot shows; 0 for a built one.
func (s *Snapshot) Revision() int64 { return s.revision }

// Get returns one object.
func (s *Snapshot) Get(key string) (*Object, bool) { return s.tree.Get(&Object{Key: key}) }

// Range visits the objects whose keys begin with prefix and follow after, in order, until visit returns false.
func (s *Snapshot) Range(prefix, after string, visit func(*Object) bool) {
	s.tree.AscendGreaterOrEqual(&Object{Key: max(prefix, after)}, func(o *Object) bool {
		if !strings.HasPrefix(o.Key, prefix) {
			return false
		}
		if o.Key <= after && after != "" {
			return true
		}
		return visit(o)
	})
}

// Len counts all objects.
func (s *Snapshot) Len() int { return s.tree.Len() }

// Indexed visits the objects whose Meta.Index is value, in the order of their keys, until visit returns false. Only a snapshot of the present has an index.
func (s *Snapshot) Indexed(value string, visit func(*Object) bool) {
	if s.index == nil {
		return
	}
	s.index.AscendGreaterOrEqual(&Object{Meta: Meta{Index: value}}, func(o *Object) bool { return o.Index == value && visit(o) })
}
