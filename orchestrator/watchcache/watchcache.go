// Package watchcache replays recent history and then follows it: reads and watches are served from here without asking the store.
//
// One Follow on the store feeds one log of events per resource, all stamped with the store's revision. Objects sit in a copy-on-write tree
// behind an atomic pointer, so that reads take no lock. It imports only store: what the bytes mean is told by an extractor that each resource
// brings along. The apiserver's objects package is its only user.
//
// Invariants, each with a test:
//   - After Barrier returns, reads see every write that was committed before Barrier was called.
//   - A watcher gets every event of its resource after its revision once, in order; ErrTooOld comes only for revisions below the log's floor.
//   - A broken Follow resumes behind the last delivered revision without touching watchers; when that was compacted, the floor moves up and
//     the watchers end with ErrTooOld.
//   - A watcher that stands still is never waited for: it has its own cursor on the log.
package watchcache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// ErrTooOld: the revision asked for is below what the log still holds. The client lists again.
var ErrTooOld = errors.New("watchcache: revision too old")

// Meta is what an extractor reads from an object's bytes, once per commit.
type Meta struct {
	Namespace, Name string
	Labels          map[string]string
	Fields          map[string]string
	// Decoded is whatever the extractor wants to keep: shared by all readers, never altered.
	Decoded any
}

// Resource is one family of keys.
type Resource struct {
	// Prefix of its keys, with the slash at the end: /registry/pods/.
	Prefix string
	// Extract reads an object. Bytes that it cannot read are reported and skipped.
	Extract func(key string, value []byte, revision int64) (Meta, error)
}

// Config of a cache.
type Config struct {
	Store store.Store
	// Prefix that all resources share: /registry/.
	Prefix    string
	Resources []Resource
	// Window is how long events are kept at least: 0 is DefaultWindow.
	Window time.Duration
	Logger *slog.Logger
}

// DefaultWindow of history.
const DefaultWindow = 75 * time.Second

// Cache of everything under one prefix.
type Cache struct {
	cfg       Config
	resources map[string]*resource
	revision  atomic.Int64
	ready     chan struct{}
	barrier   barrier

	mu sync.Mutex
	// advanced is closed and replaced whenever revision grows.
	advanced chan struct{}
}

// New returns a cache that is empty until Run.
func New(cfg Config) *Cache {
	if cfg.Window == 0 {
		cfg.Window = DefaultWindow
	}
	c := &Cache{cfg: cfg, resources: map[string]*resource{}, ready: make(chan struct{}), advanced: make(chan struct{})}
	c.barrier.cache = c
	for _, r := range cfg.Resources {
		c.resources[r.Prefix] = newResource(r, cfg.Logger)
	}
	return c
}

// retryPause between attempts to reach a store that fails.
const retryPause = 100 * time.Millisecond

// Run fills the cache and follows the store until ctx ends.
func (c *Cache) Run(ctx context.Context) error {
	if err := c.insist(ctx, c.fill); err != nil {
		return err
	}
	close(c.ready)
	for {
		err := c.cfg.Store.Follow(ctx, c.cfg.Prefix, c.revision.Load(), c.deliver)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.cfg.Logger.Log(ctx, slog.LevelInfo-2, "store watch broke", "err", err)
		if errors.Is(err, store.ErrCompacted) {
			err = c.insist(ctx, c.refill)
		} else {
			err = pause(ctx)
		}
		if err != nil {
			return err
		}
	}
}

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

// fill lists everything at one revision.
func (c *Cache) fill(ctx context.Context) error {
	page, err := c.cfg.Store.List(ctx, c.cfg.Prefix, store.ListOptions{})
	if err != nil {
		return fmt.Errorf("fill the cache: %w", err)
	}
	byResource := map[*resource][]*Object{}
	for _, e := range page.Entries {
		r := c.resourceOf(e.Key)
		if r == nil {
			continue
		}
		if o := r.object(e.Key, e.Value, e.ModRevision); o != nil {
			byResource[r] = append(byResource[r], o)
		}
	}
	for _, r := range c.resources {
		r.reset(byResource[r], page.Revision)
	}
	c.advance(page.Revision)
	return nil
}

// refill starts over after a compaction: watchers end, since what they missed is unknown.
func (c *Cache) refill(ctx context.Context) error { return c.fill(ctx) }

func (c *Cache) deliver(b store.Batch) error {
	oldest := time.Now().Add(-c.cfg.Window)
	for _, e := range b.Events {
		if r := c.resourceOf(e.Key); r != nil {
			r.apply(e, oldest)
		}
	}
	for _, r := range c.resources {
		r.publish()
	}
	c.advance(b.Revision)
	return nil
}

// advance makes a revision visible to those who wait for it.
func (c *Cache) advance(revision int64) {
	if revision <= c.revision.Load() {
		return
	}
	c.revision.Store(revision)
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.advanced)
	c.advanced = make(chan struct{})
}

// Revision that the cache has applied.
func (c *Cache) Revision() int64 { return c.revision.Load() }

// WaitReady returns once the cache is filled.
func (c *Cache) WaitReady(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ready:
		return nil
	}
}

// Ready tells whether the cache is filled.
func (c *Cache) Ready() bool {
	select {
	case <-c.ready:
		return true
	default:
		return false
	}
}

// WaitFor returns once the cache has applied a revision.
func (c *Cache) WaitFor(ctx context.Context, revision int64) error {
	for {
		c.mu.Lock()
		advanced := c.advanced
		c.mu.Unlock()
		if c.revision.Load() >= revision {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-advanced:
		}
	}
}

// resourceOf finds the resource of a key: the longest prefix up to a slash that is one.
func (c *Cache) resourceOf(key string) *resource {
	for end := len(key) - 1; end > len(c.cfg.Prefix); end-- {
		if key[end] != '/' {
			continue
		}
		if r := c.resources[key[:end+1]]; r != nil {
			return r
		}
	}
	return nil
}
