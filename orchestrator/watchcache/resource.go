package watchcache

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/btree"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// readTimeout bounds the linearizable read of a barrier.
const readTimeout = 10 * time.Second

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

// EventType of a watch event.
type EventType int

// The types of events.
const (
	Added EventType = iota
	Modified
	Deleted
)

// Event is one change. Object is the new state, or for Deleted the last one; Previous is nil for Added.
type Event struct {
	Type             EventType
	Object, Previous *Object
	Revision         int64
	at               time.Time
}

// tree is a copy-on-write set of objects by key.
type tree = btree.BTreeG[*Object]

// resource is one family of keys: its present, and its recent past.
type resource struct {
	Resource
	logger *slog.Logger

	// snapshot is what readers see; present is what the one writer works on.
	snapshot atomic.Pointer[Snapshot]
	present  *tree
	dirty    bool

	// mu guards the log. floor is the newest revision whose successors may be missing from it; base is the number of events trimmed.
	mu      sync.RWMutex
	log     []Event
	floor   int64
	base    int
	epoch   int
	changed chan struct{}
}

func newResource(r Resource, logger *slog.Logger) *resource {
	made := &resource{Resource: r, logger: logger, changed: make(chan struct{}), present: newTree()}
	made.snapshot.Store(&Snapshot{tree: newTree()})
	return made
}

func newTree() *tree {
	return btree.NewG(degree, func(a, b *Object) bool { return a.Key < b.Key })
}

// object extracts one; nil when the bytes cannot be read.
func (r *resource) object(key string, value []byte, revision int64) *Object {
	meta, err := r.Extract(key, value, revision)
	if err != nil {
		r.logger.Error("unreadable object skipped", "key", key, "revision", revision, "err", err)
		return nil
	}
	return &Object{Key: key, Value: value, Revision: revision, Meta: meta}
}

// reset replaces everything; watchers of before end.
func (r *resource) reset(objects []*Object, revision int64) {
	fresh := newTree()
	for _, o := range objects {
		fresh.ReplaceOrInsert(o)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.present, r.dirty = fresh, true
	r.log, r.base, r.floor = nil, 0, revision
	r.epoch++
	r.publishLocked()
}

// apply records one event. Only the follower calls it.
func (r *resource) apply(e store.Event, oldest time.Time) {
	previous, existed := r.present.Get(&Object{Key: e.Key})
	event := Event{Revision: e.Revision, Previous: previous, at: time.Now()}
	switch {
	case e.Deleted && !existed:
		return
	case e.Deleted:
		event.Type, event.Object = Deleted, previous
		r.present.Delete(previous)
	default:
		event.Object = r.object(e.Key, e.Value, e.Revision)
		if event.Object == nil {
			return
		}
		if existed {
			event.Type = Modified
		}
		r.present.ReplaceOrInsert(event.Object)
	}
	r.dirty = true
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, event)
	r.trim(oldest)
}

// trim forgets events from before oldest. It works in strides, so that each event is moved once on average.
func (r *resource) trim(oldest time.Time) {
	n := 0
	for n < len(r.log) && r.log[n].at.Before(oldest) {
		n++
	}
	if n < 64 || n < len(r.log)/2 {
		return
	}
	r.floor = r.log[n-1].Revision
	r.base += n
	r.log = append([]Event(nil), r.log[n:]...)
}

// publish shows readers and watchers what apply recorded.
func (r *resource) publish() {
	if !r.dirty {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.publishLocked()
}

func (r *resource) publishLocked() {
	r.dirty = false
	r.snapshot.Store(&Snapshot{tree: r.present.Clone()})
	close(r.changed)
	r.changed = make(chan struct{})
}
