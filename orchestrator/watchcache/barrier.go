package watchcache

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// readTimeout bounds the linearizable read of a barrier.
	readTimeout = 10 * time.Second
	// nudgeInterval is how often progress is requested at most, and again while somebody waits: etcd leaves a request unanswered while
	// the watch has not caught up.
	nudgeInterval = 20 * time.Millisecond
)

// barrier lets concurrent callers share one linearizable read. A caller may only use a read that began after it called.
type barrier struct {
	cache *Cache

	mu      sync.Mutex
	waiting *round
	busy    bool
}

// round is one read and those who wait for it.
type round struct {
	done     chan struct{}
	revision int64
	err      error
}

// Barrier returns when the cache has applied everything that was committed before the call.
func (c *Cache) Barrier(ctx context.Context) error {
	if err := c.WaitReady(ctx); err != nil {
		return err
	}
	r := c.barrier.join(ctx)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.done:
	}
	if r.err != nil {
		return fmt.Errorf("%w: %w", ErrUnconfirmed, r.err)
	}
	return c.WaitFor(ctx, r.revision)
}

// WaitFor returns once the cache has applied a revision.
func (c *Cache) WaitFor(ctx context.Context, revision int64) error {
	if c.revision.Load() >= revision {
		return nil
	}
	ticker := time.NewTicker(nudgeInterval)
	defer ticker.Stop()
	for {
		c.mu.Lock()
		advanced := c.advanced
		c.mu.Unlock()
		if c.revision.Load() >= revision {
			return nil
		}
		// Writes outside the prefix move the revision too: ask to be told of it.
		if err := c.nudge(ctx); err != nil {
			return fmt.Errorf("%w: wait for revision %d: %w", ErrUnconfirmed, revision, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-advanced:
		case <-ticker.C:
		}
	}
}

// nudge requests progress, unless that was done a moment ago.
func (c *Cache) nudge(ctx context.Context) error {
	c.mu.Lock()
	now := time.Now()
	due := now.Sub(c.nudged) >= nudgeInterval
	if due {
		c.nudged = now
	}
	c.mu.Unlock()
	if !due {
		return nil
	}
	return c.cfg.Store.RequestProgress(ctx)
}

// join enters the round that starts next, and starts it when none is under way.
func (b *barrier) join(ctx context.Context) *round {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = &round{done: make(chan struct{})}
	}
	mine := b.waiting
	if !b.busy {
		b.busy = true
		// The round serves all who joined, so it outlives the one who started it; readTimeout ends it.
		go b.run(context.WithoutCancel(ctx))
	}
	return mine
}

// run reads for one round after another while somebody waits.
func (b *barrier) run(ctx context.Context) {
	for {
		b.mu.Lock()
		r := b.waiting
		b.waiting = nil
		if r == nil {
			b.busy = false
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		r.revision, r.err = b.read(ctx)
		close(r.done)
	}
}

func (b *barrier) read(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return b.cache.cfg.Store.Revision(ctx)
}
