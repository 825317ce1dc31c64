// Package memory is a Store in this process: for tests and for API servers that need not outlive it.
//
// It keeps every change since the last compaction, so that the past can be read and followed; the present is a copy-on-write tree.
// Fed and read like any Store; storetest holds it to the same suite as etcd.
package memory

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/google/btree"
	"k8s.io/utils/clock"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// degree of the tree: wide enough that a copied path is short.
const degree = 32

// Store in memory. The zero value is not usable: call New.
type Store struct {
	clock clock.WithDelayedExecution

	mu sync.RWMutex
	// entries is the present; history holds every event after compacted, in order.
	entries   *btree.BTreeG[store.Entry]
	history   []change
	revision  int64
	compacted int64
	// changed is closed and replaced at every commit.
	changed chan struct{}
	timers  map[string]clock.Timer
}

// change is one event, with the revision that it replaced.
type change struct {
	store.Event
	before int64
}

var _ store.Store = (*Store)(nil)

// New returns an empty store at revision 1, as etcd's is.
func New() *Store { return NewWithClock(clock.RealClock{}) }

// NewWithClock is New with the clock that ends keys' lives.
func NewWithClock(c clock.WithDelayedExecution) *Store {
	return &Store{
		clock: c, entries: btree.NewG(degree, func(a, b store.Entry) bool { return a.Key < b.Key }),
		revision: 1, changed: make(chan struct{}), timers: map[string]clock.Timer{},
	}
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string) (store.Entry, error) {
	if err := ctx.Err(); err != nil {
		return store.Entry{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e, ok := s.entries.Get(store.Entry{Key: key}); ok {
		return e, nil
	}
	return store.Entry{}, store.ErrNotFound
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, prefix string, opts store.ListOptions) (store.Page, error) {
	if err := ctx.Err(); err != nil {
		return store.Page{}, err
	}
	tree, revision, err := s.at(opts.Revision)
	if err != nil {
		return store.Page{}, err
	}
	page := store.Page{Revision: revision}
	tree.AscendGreaterOrEqual(store.Entry{Key: max(prefix, opts.After)}, func(e store.Entry) bool {
		switch {
		case !strings.HasPrefix(e.Key, prefix):
			return false
		case opts.After != "" && e.Key <= opts.After:
		case opts.Limit > 0 && int64(len(page.Entries)) == opts.Limit:
			page.More = true
			page.Remaining++
		default:
			page.Entries = append(page.Entries, e)
		}
		return true
	})
	return page, nil
}

// at returns the tree as it was at a revision: the present with later events undone.
func (s *Store) at(revision int64) (*btree.BTreeG[store.Entry], int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case revision > s.revision:
		return nil, 0, store.ErrFutureRevision
	case revision != 0 && revision < s.compacted:
		return nil, 0, store.ErrCompacted
	}
	tree := s.entries.Clone()
	if revision == 0 {
		return tree, s.revision, nil
	}
	for i := len(s.history) - 1; i >= 0 && s.history[i].Revision > revision; i-- {
		undo(tree, s.history[i])
	}
	return tree, revision, nil
}

func undo(tree *btree.BTreeG[store.Entry], c change) {
	if c.Created {
		tree.Delete(store.Entry{Key: c.Key})
		return
	}
	tree.ReplaceOrInsert(store.Entry{Key: c.Key, Value: c.Previous, ModRevision: c.before})
}

// Create implements store.Store.
func (s *Store) Create(ctx context.Context, put store.Put) (int64, error) {
	return s.write(ctx, put.Key, 0, &put)
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, put store.Put, expected int64) (int64, error) {
	return s.write(ctx, put.Key, expected, &put)
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, key string, expected int64) (int64, error) {
	return s.write(ctx, key, expected, nil)
}

// write commits a put, or a removal when put is nil, if the key is at the expected revision (0: absent).
func (s *Store) write(ctx context.Context, key string, expected int64, put *store.Put) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	current, _ := s.entries.Get(store.Entry{Key: key})
	if current.ModRevision != expected {
		return 0, &store.ConflictError{Key: key, Current: current}
	}
	s.revision++
	s.apply(key, current, put)
	s.announce()
	return s.revision, nil
}

// apply records one change at the present revision. The lock is held.
func (s *Store) apply(key string, current store.Entry, put *store.Put) {
	if t := s.timers[key]; t != nil {
		t.Stop()
		delete(s.timers, key)
	}
	event := store.Event{Key: key, Previous: current.Value, Revision: s.revision, Created: current.ModRevision == 0}
	if put == nil {
		event.Deleted, event.Created = true, false
		s.entries.Delete(store.Entry{Key: key})
	} else {
		event.Value = put.Value
		s.entries.ReplaceOrInsert(store.Entry{Key: key, Value: put.Value, ModRevision: s.revision})
		s.expire(*put, s.revision)
	}
	s.history = append(s.history, change{event, current.ModRevision})
}

// expire ends the key's life after its TTL, unless it is written again before. The lock is held.
func (s *Store) expire(put store.Put, revision int64) {
	if put.TTL <= 0 {
		return
	}
	s.timers[put.Key] = s.clock.AfterFunc(put.TTL, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		current, ok := s.entries.Get(store.Entry{Key: put.Key})
		if ok && current.ModRevision == revision {
			s.revision++
			s.apply(put.Key, current, nil)
			s.announce()
		}
	})
}

func (s *Store) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// CreateMissing implements store.Store: one commit for all.
func (s *Store) CreateMissing(ctx context.Context, puts []store.Put) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	created := 0
	for i := range puts {
		if _, exists := s.entries.Get(store.Entry{Key: puts[i].Key}); exists {
			continue
		}
		if created == 0 {
			s.revision++
		}
		s.apply(puts[i].Key, store.Entry{}, &puts[i])
		created++
	}
	if created > 0 {
		s.announce()
	}
	return created, nil
}

// Revision implements store.Store.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.revision, ctx.Err()
}

// Compact implements store.Store.
func (s *Store) Compact(ctx context.Context, revision int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if revision > s.revision {
		return fmt.Errorf("compact at %d: %w", revision, store.ErrFutureRevision)
	}
	if revision <= s.compacted {
		return ctx.Err()
	}
	keep := 0
	for keep < len(s.history) && s.history[keep].Revision <= revision {
		keep++
	}
	s.history = append([]change(nil), s.history[keep:]...)
	s.compacted = revision
	return ctx.Err()
}

// RequestProgress implements store.Store: followers learn of every commit at once, so a wake-up is all it takes.
func (s *Store) RequestProgress(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announce()
	return ctx.Err()
}
