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

// Floor is the oldest revision that a watch of a resource can start behind.
func (c *Cache) Floor(prefix string) int64 {
	r := c.resource(prefix)
	if r == nil {
		return 0
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.log.floor
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
	present, later, err := r.since(revision)
	if err != nil {
		return nil, err
	}
	if len(later) == 0 {
		return &Snapshot{tree: present, revision: revision}, nil
	}
	// However much there is to undo, nobody waits for it.
	t := r.copied(present)
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

// since is a resource's present with the events behind a revision that led to it.
func (r *resource) since(revision int64) (*tree, []Event, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if revision < r.log.floor {
		return nil, nil, ErrTooOld
	}
	return r.snapshot.Load().tree, r.log.events[r.log.after(revision)-r.log.base:], nil
}

// copied is a tree to alter. Copying marks the original, which only one at a time may do.
func (r *resource) copied(t *tree) *tree {
	r.copying.Lock()
	defer r.copying.Unlock()
	return t.Clone()
}

// Read makes objects of entries that were read from the store: for moments that the cache no longer holds. They and their encodings live as long as
// they are used.
func (c *Cache) Read(prefix string, entries []store.Entry) []*Object {
	r := c.resource(prefix)
	if r == nil {
		return nil
	}
	var objects []*Object
	for _, e := range entries {
		if o := r.object(e.Key, e.Value, e.ModRevision); o != nil {
			o.encodings.budget = nil
			objects = append(objects, o)
		}
	}
	return objects
}

// Revision that the snapshot shows.
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
