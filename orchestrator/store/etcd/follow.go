package etcd

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// Follow implements store.Store. The watch needs a leader: one on a member that lost its quorum breaks instead of standing still.
func (s *Store) Follow(ctx context.Context, prefix string, after int64, deliver func(store.Batch) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := s.client.Watch(clientv3.WithRequireLeader(ctx), prefix,
		clientv3.WithPrefix(), clientv3.WithRev(after+1), clientv3.WithPrevKV(), clientv3.WithProgressNotify(), clientv3.WithFragment())
	for r := range watch {
		if r.CompactRevision != 0 {
			return store.ErrCompacted
		}
		if err := r.Err(); err != nil {
			return fmt.Errorf("follow %s: %w", prefix, translate(err))
		}
		batch, ok := batchOf(&r)
		if !ok {
			continue
		}
		if err := deliver(batch); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return fmt.Errorf("follow %s: the watch ended", prefix)
}

// batchOf is what a response delivers, if anything. A response with events covers no more than its last event: while a watch catches up, etcd
// stamps the header with the newest revision although more events are to come.
func batchOf(r *clientv3.WatchResponse) (store.Batch, bool) {
	if r.IsProgressNotify() {
		return store.Batch{Revision: r.Header.Revision}, true
	}
	if len(r.Events) == 0 {
		return store.Batch{}, false
	}
	batch := store.Batch{Events: make([]store.Event, 0, len(r.Events))}
	for _, e := range r.Events {
		batch.Events = append(batch.Events, event(e))
	}
	batch.Revision = batch.Events[len(batch.Events)-1].Revision
	return batch, true
}

func event(e *clientv3.Event) store.Event {
	out := store.Event{Key: string(e.Kv.Key), Revision: e.Kv.ModRevision, Created: e.IsCreate(), Deleted: e.Type == clientv3.EventTypeDelete}
	if !out.Deleted {
		out.Value = e.Kv.Value
	}
	if e.PrevKv != nil {
		out.Previous = e.PrevKv.Value
	}
	return out
}

// RequestProgress implements store.Store.
func (s *Store) RequestProgress(ctx context.Context) error {
	if err := s.client.RequestProgress(clientv3.WithRequireLeader(ctx)); err != nil {
		return fmt.Errorf("request progress: %w", err)
	}
	return nil
}
