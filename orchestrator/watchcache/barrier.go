package watchcache

import (
	"context"
	"fmt"
	"sync"
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
		return fmt.Errorf("barrier: %w", r.err)
	}
	if c.Revision() < r.revision {
		// Writes outside the prefix move the revision too: ask to be told of it.
		if err := c.cfg.Store.RequestProgress(ctx); err != nil {
			return fmt.Errorf("barrier: %w", err)
		}
	}
	return c.WaitFor(ctx, r.revision)
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
