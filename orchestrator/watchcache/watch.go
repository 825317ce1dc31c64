package watchcache

import (
	"context"
	"time"
)

// Watcher is a cursor on one resource's log. It belongs to one goroutine and needs no closing.
type Watcher struct {
	cache    *Cache
	resource *resource
	opened   bool
	next     int
	epoch    int
	after    int64
	revision int64
}

// Watch starts behind a revision: ErrTooOld when the log does not reach back that far. The revision may still be ahead of the cache. Before the
// cache is ready, that answer comes from Next.
func (c *Cache) Watch(prefix string, after int64) (*Watcher, error) {
	r := c.resource(prefix)
	if r == nil {
		return nil, ErrUnknownResource
	}
	w := &Watcher{cache: c, resource: r, after: after, revision: after}
	if !c.Ready() {
		return w, nil
	}
	return w, w.open()
}

// open finds the watcher's place in the log.
func (w *Watcher) open() error {
	r := w.resource
	r.mu.RLock()
	defer r.mu.RUnlock()
	if w.after < r.log.floor {
		return ErrTooOld
	}
	w.opened, w.epoch, w.next = true, r.log.epoch, r.log.after(w.after)
	return nil
}

// Next blocks until there are events, or wake delivers (then it may return none), or ctx ends. revision is what the watcher has now seen in full.
func (w *Watcher) Next(ctx context.Context, wake <-chan time.Time) (events []Event, revision int64, err error) {
	if !w.opened {
		if err := w.cache.WaitReady(ctx); err != nil {
			return nil, w.revision, err
		}
		if err := w.open(); err != nil {
			return nil, w.revision, err
		}
	}
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
			// Once more: revisions may have passed meanwhile without an event of this resource.
			seen = w.cache.Revision()
			events, _, err := w.take()
			if err != nil {
				return nil, w.revision, err
			}
			w.revision = max(w.revision, seen)
			return events, w.revision, nil
		case <-changed:
		}
	}
}

// take returns the events not seen yet, and the channel that tells of more.
func (w *Watcher) take() ([]Event, <-chan struct{}, error) {
	r := w.resource
	r.mu.RLock()
	defer r.mu.RUnlock()
	if w.epoch != r.log.epoch || w.next < r.log.base {
		return nil, nil, ErrTooOld
	}
	events := r.log.events[w.next-r.log.base:]
	w.next = r.log.base + len(r.log.events)
	// A watch that started ahead of the cache has these behind it.
	for len(events) > 0 && events[0].Revision <= w.after {
		events = events[1:]
	}
	return events[:len(events):len(events)], r.changed, nil
}
