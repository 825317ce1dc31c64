package watchcache

import (
	"context"
	"time"
)

// Watcher is a cursor on one resource's log.
type Watcher struct {
	cache    *Cache
	resource *resource
	next     int
	epoch    int
	revision int64
}

// Watch starts behind a revision: ErrTooOld when the log does not reach back that far.
func (c *Cache) Watch(prefix string, after int64) (*Watcher, error) {
	r := c.resource(prefix)
	r.mu.RLock()
	defer r.mu.RUnlock()
	if after < r.floor {
		return nil, ErrTooOld
	}
	w := &Watcher{cache: c, resource: r, epoch: r.epoch, next: r.base + len(r.log), revision: after}
	for w.next > r.base && r.log[w.next-r.base-1].Revision > after {
		w.next--
	}
	return w, nil
}

// Next blocks until there are events, or wake delivers (then it may return none), or ctx ends. revision is what the watcher has now seen in full.
func (w *Watcher) Next(ctx context.Context, wake <-chan time.Time) (events []Event, revision int64, err error) {
	for {
		// The revision is read before the log: what it covers is in the log already.
		seen := w.cache.Revision()
		events, changed, err := w.take()
		if err != nil {
			return nil, w.revision, err
		}
		w.revision = max(w.revision, seen)
		if n := len(events); n > 0 {
			w.revision = max(w.revision, events[n-1].Revision)
			return events, w.revision, nil
		}
		select {
		case <-ctx.Done():
			return nil, w.revision, ctx.Err()
		case <-wake:
			return nil, w.revision, nil
		case <-changed:
		}
	}
}

// take returns the events not seen yet, and the channel that tells of more.
func (w *Watcher) take() ([]Event, <-chan struct{}, error) {
	r := w.resource
	r.mu.RLock()
	defer r.mu.RUnlock()
	if w.epoch != r.epoch || w.next < r.base {
		return nil, nil, ErrTooOld
	}
	events := r.log[w.next-r.base:]
	w.next = r.base + len(r.log)
	return events[:len(events):len(events)], r.changed, nil
}
