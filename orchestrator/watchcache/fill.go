package watchcache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

const (
	// retryPause between attempts to reach a store that fails.
	retryPause = 100 * time.Millisecond
	// replayed is how many revisions a new cache goes back at most, so that its log has a past.
	replayed = 4096
	// pageSize bounds one read while filling.
	pageSize = 2000
)

// insist repeats an attempt until it succeeds or ctx ends.
func (c *Cache) insist(ctx context.Context, attempt func(context.Context) error) error {
	for {
		err := attempt(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.cfg.Logger.Log(ctx, slog.LevelInfo-1, "store does not answer", "err", err)
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context) error {
	timer := time.NewTimer(retryPause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// fill sets every resource to what it was at a revision somewhat in the past; Follow replays the rest up to head, the present.
func (c *Cache) fill(ctx context.Context) (head int64, err error) {
	head, err = c.cfg.Store.Revision(ctx)
	if err != nil {
		return 0, fmt.Errorf("fill the cache: %w", err)
	}
	start, err := c.oldest(ctx, head)
	if err != nil {
		return 0, fmt.Errorf("fill the cache: %w", err)
	}
	resources := *c.resources.Load()
	byResource := map[*resource][]*Object{}
	err = c.list(ctx, c.cfg.Prefix, start, func(e store.Entry) {
		r := c.resourceOf(e.Key)
		if r == nil {
			return
		}
		if o := r.object(e.Key, e.Value, e.ModRevision); o != nil {
			byResource[r] = append(byResource[r], o)
		}
	})
	if err != nil {
		return 0, fmt.Errorf("fill the cache: %w", err)
	}
	c.applying.Lock()
	defer c.applying.Unlock()
	// One that was added meanwhile loads itself.
	for _, r := range resources {
		r.reset(byResource[r], start)
	}
	c.filled = start
	c.advance(start)
	return head, nil
}

// oldest finds a revision to start from: up to replayed revisions back, as far as the store still has them.
func (c *Cache) oldest(ctx context.Context, head int64) (int64, error) {
	for back := min(replayed, head-1); back > 0; back /= 2 {
		_, err := c.cfg.Store.List(ctx, c.cfg.Prefix, store.ListOptions{Revision: head - back, Limit: 1})
		if err == nil {
			return head - back, nil
		}
		if !errors.Is(err, store.ErrCompacted) {
			return 0, err
		}
	}
	return head, nil
}

// list reads a prefix at one revision, page by page.
func (c *Cache) list(ctx context.Context, prefix string, revision int64, visit func(store.Entry)) error {
	options := store.ListOptions{Revision: revision, Limit: pageSize}
	for {
		page, err := c.cfg.Store.List(ctx, prefix, options)
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			visit(e)
		}
		if !page.More || len(page.Entries) == 0 {
			return nil
		}
		options.After = page.Entries[len(page.Entries)-1].Key
	}
}
