package watchcache

import (
	"fmt"
	"strings"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// Snapshot is a resource's objects at one moment.
type Snapshot struct {
	tree *tree
}

// resource by prefix. A prefix that was not registered is a mistake of the caller.
func (c *Cache) resource(prefix string) *resource {
	r := c.resources[prefix]
	if r == nil {
		panic(fmt.Sprintf("watchcache: no resource %s", prefix))
	}
	return r
}

// Get returns one object.
func (c *Cache) Get(prefix, key string) (*Object, bool) {
	return c.resource(prefix).snapshot.Load().tree.Get(&Object{Key: key})
}

// Snapshot of a resource's present.
func (c *Cache) Snapshot(prefix string) *Snapshot { return c.resource(prefix).snapshot.Load() }

// SnapshotAt is the past: the present with later events undone. ErrTooOld when the log does not reach back that far.
func (c *Cache) SnapshotAt(prefix string, revision int64) (*Snapshot, error) {
	r := c.resource(prefix)
	// Cloning alters the tree that is cloned: only one at a time may.
	r.mu.Lock()
	defer r.mu.Unlock()
	if revision < r.floor {
		return nil, ErrTooOld
	}
	t := r.snapshot.Load().tree.Clone()
	for i := len(r.log) - 1; i >= 0 && r.log[i].Revision > revision; i-- {
		switch e := r.log[i]; e.Type {
		case Added:
			t.Delete(e.Object)
		default:
			t.ReplaceOrInsert(e.Previous)
		}
	}
	return &Snapshot{tree: t}, nil
}

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

// Build makes a snapshot of entries that were read from the store: for moments that the cache no longer holds.
func (c *Cache) Build(prefix string, entries []store.Entry) *Snapshot {
	r := c.resource(prefix)
	t := newTree()
	for _, e := range entries {
		if o := r.object(e.Key, e.Value, e.ModRevision); o != nil {
			t.ReplaceOrInsert(o)
		}
	}
	return &Snapshot{tree: t}
}
