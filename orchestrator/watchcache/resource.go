package watchcache

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/btree"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// degree of the trees of objects.
const degree = 32

// Object is one stored object as it was at one revision. It never changes; list and watch share it.
type Object struct {
	Key      string
	Value    []byte
	Revision int64
	Meta
	encodings encodings
}

// tree is a copy-on-write set of objects by key.
type tree = btree.BTreeG[*Object]

// resource is one family of keys: its present, and its recent past.
type resource struct {
	Resource
	logger    *slog.Logger
	encodings *budget
	logBytes  int64
	logLimit  int64

	// snapshot is what readers see.
	snapshot atomic.Pointer[Snapshot]

	// present, indexed, staged, loading and pending belong to whoever holds Cache.applying.
	present *tree
	// indexed are the objects of present that have an index value, by that and then by key.
	indexed *tree
	// staged are the events of the batch that is being applied.
	staged []Event
	// loading is true while the first list of a resource added later is under way; what comes meanwhile is pending.
	loading bool
	pending []store.Event

	// copying is held while a published tree is copied.
	copying sync.Mutex

	// mu guards what follows, and the publishing of snapshots.
	mu  sync.RWMutex
	log eventLog
	// changed is closed and replaced when the log grows or ends.
	changed chan struct{}
}

func (c *Cache) newResource(r Resource) *resource {
	made := &resource{Resource: r, logger: c.cfg.Logger, encodings: c.encodings, logBytes: c.cfg.LogBytes, logLimit: c.cfg.LogLimit, changed: make(chan struct{}), present: newTree(), indexed: newIndex()}
	made.snapshot.Store(&Snapshot{tree: newTree(), index: newIndex()})
	return made
}

func newTree() *tree {
	return btree.NewG(degree, func(a, b *Object) bool { return a.Key < b.Key })
}

func newIndex() *tree {
	return btree.NewG(degree, func(a, b *Object) bool {
		if a.Index != b.Index {
			return a.Index < b.Index
		}
		return a.Key < b.Key
	})
}

// put makes an object part of the present, in place of previous (nil when there was none).
func (r *resource) put(o, previous *Object) {
	r.present.ReplaceOrInsert(o)
	if previous != nil && previous.Index != o.Index {
		r.indexed.Delete(previous)
	}
	if o.Index != "" {
		r.indexed.ReplaceOrInsert(o)
	}
}

func (r *resource) drop(o *Object) {
	r.present.Delete(o)
	if o.Index != "" {
		r.indexed.Delete(o)
	}
}

// object extracts one; nil when the bytes cannot be read.
func (r *resource) object(key string, value []byte, revision int64) *Object {
	meta, err := r.Extract(key, value, revision)
	if err != nil {
		r.logger.Error("unreadable object skipped", "key", key, "revision", revision, "err", err)
		return nil
	}
	return &Object{Key: key, Value: value, Revision: revision, Meta: meta, encodings: encodings{budget: r.encodings}}
}

// reset replaces everything; watchers of before end.
func (r *resource) reset(objects []*Object, revision int64) {
	r.present, r.indexed, r.staged, r.loading, r.pending = newTree(), newIndex(), nil, false, nil
	for _, o := range objects {
		r.put(o, nil)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.encodings.retire(r.log.restart(revision))
	r.retirePresent()
	r.publish(revision)
}

// end makes the watchers end.
func (r *resource) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.encodings.retire(r.log.restart(r.snapshot.Load().revision))
	r.retirePresent()
	r.publish(r.snapshot.Load().revision)
}

// retirePresent forgets the encodings of what readers have seen up to now. The lock is held.
func (r *resource) retirePresent() {
	r.snapshot.Load().tree.Ascend(func(o *Object) bool { r.encodings.drop(o); return true })
}

// stage applies one event to the present; nobody sees it before commit.
func (r *resource) stage(e store.Event, now time.Time) {
	if r.loading {
		r.pending = append(r.pending, e)
		return
	}
	previous, existed := r.present.Get(&Object{Key: e.Key})
	event := Event{Revision: e.Revision, Previous: previous, at: now}
	switch {
	case e.Deleted && !existed:
		return
	case e.Deleted:
		event.Type, event.Object = Deleted, previous
		r.drop(previous)
	default:
		event.Object = r.object(e.Key, e.Value, e.Revision)
		if event.Object == nil {
			return
		}
		if existed {
			event.Type = Modified
		}
		r.put(event.Object, previous)
	}
	r.staged = append(r.staged, event)
}

// commit shows readers and watchers what was staged, all at once. Events from before oldest may then be forgotten.
func (r *resource) commit(oldest time.Time) {
	if len(r.staged) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.append(r.staged)
	forgotten := r.log.trim(oldest, r.logBytes, r.logLimit)
	r.encodings.retire(forgotten)
	r.publish(r.staged[len(r.staged)-1].Revision)
	r.staged = nil
}

// publish shows the present. The lock is held.
func (r *resource) publish(revision int64) {
	r.snapshot.Store(&Snapshot{tree: r.present.Clone(), index: r.indexed.Clone(), revision: revision})
	close(r.changed)
	r.changed = make(chan struct{})
}

// resourceOf finds the resource of a key: the longest prefix up to a slash that is one.
func (c *Cache) resourceOf(key string) *resource {
	resources := *c.resources.Load()
	for end := len(key) - 1; end > len(c.cfg.Prefix); end-- {
		if key[end] != '/' {
			continue
		}
		if r := resources[key[:end+1]]; r != nil {
			return r
		}
	}
	return nil
}
