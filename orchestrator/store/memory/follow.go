package memory

import (
	"context"
	"sort"
	"strings"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// Follow implements store.Store: each follower has its own cursor on the shared history.
func (s *Store) Follow(ctx context.Context, prefix string, after int64, deliver func(store.Batch) error) error {
	for {
		batch, changed, err := s.since(prefix, after)
		if err != nil {
			return err
		}
		if err := deliver(batch); err != nil {
			return err
		}
		after = batch.Revision
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// since collects what happened under prefix after a revision, and the channel that tells of more.
func (s *Store) since(prefix string, after int64) (store.Batch, <-chan struct{}, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if after < s.compacted {
		return store.Batch{}, nil, store.ErrCompacted
	}
	batch := store.Batch{Revision: max(s.revision, after)}
	first := sort.Search(len(s.history), func(i int) bool { return s.history[i].Revision > after })
	for _, e := range s.history[first:] {
		if strings.HasPrefix(e.Key, prefix) {
			batch.Events = append(batch.Events, e.Event)
		}
	}
	return batch, s.changed, nil
}
