// Package watchcache replays recent history and then follows it: reads and watches are served from here without asking the store.
//
// One Follow on the store feeds one log of events per resource, all stamped with the store's revision. Objects sit in a copy-on-write tree
// behind an atomic pointer, so that reads take no lock. It imports only store: what the bytes mean is told by an extractor that each resource
// brings along. The apiserver's objects package is its only user.
//
// Invariants, each with a test:
//   - After Barrier returns, reads see every write that was committed before Barrier was called.
//   - A watcher gets every event of its resource after its revision once, in order; ErrTooOld comes only for revisions below the log's floor.
//   - The events of one commit appear at once: no watcher, snapshot or revision ever shows a part of a commit.
//   - A snapshot is a resource exactly as it was at the snapshot's revision.
//   - A broken Follow resumes behind the last delivered revision without touching watchers; when that was compacted, the floor moves up and
//     the watchers end with ErrTooOld.
//   - A new cache replays what the store still has, so that a watch resumes across a restart of its apiserver.
//   - A watcher that stands still is never waited for: it has its own cursor on the log.
//   - The past outlives a window only in the log, never in SnapshotAt: whether older revisions still exist is the store's answer.
//   - Encodings together stay under their budget, and keep no object that was replaced.
//   - A log stays under its limit, whatever is written within the window.
package watchcache

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

var (
	// ErrTooOld: the revision asked for is below what the log still holds. The client lists again.
	ErrTooOld = errors.New("watchcache: revision too old")
	// ErrUnconfirmed: the store failed to say what the present is, so that nothing read from the cache can be called current.
	ErrUnconfirmed = errors.New("watchcache: the store does not tell whether the cache is current")
	// ErrUnknownResource: no resource has this prefix, or it was removed.
	ErrUnknownResource = errors.New("watchcache: unknown resource")
)

// Meta is what an extractor reads from an object's bytes, once per commit.
type Meta struct {
	Namespace, Name string
	Labels          map[string]string
	Fields          map[string]string
	// Index is what Snapshot.Indexed finds the object by; an object without one is not in the index.
	Index string
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
	// Window is how long events are kept at least, within LogLimit: 0 is DefaultWindow.
	Window time.Duration
	// LogBytes is how much of older history each resource may keep, in estimated bytes of replaced objects: 0 is DefaultLogBytes. LogLimit is how much
	// it may keep at all, also within the window: 0 is DefaultLogLimit.
	LogBytes, LogLimit int64
	// EncodingBytes bounds all cached encodings together: 0 is DefaultEncodingBytes.
	EncodingBytes int64
	// Clock tells the age of events: nil is the real one.
	Clock  clock.PassiveClock
	Logger *slog.Logger
}

// Defaults of Config. The encodings of 5,000 pods are 25 MB of JSON: a list that does not fit is encoded anew each time, at seven times the cost.
const (
	DefaultWindow        = 75 * time.Second
	DefaultLogBytes      = 2 << 20
	DefaultLogLimit      = 64 << 20
	DefaultEncodingBytes = 64 << 20
)

// Cache of everything under one prefix.
type Cache struct {
	cfg       Config
	resources atomic.Pointer[map[string]*resource]
	encodings *budget
	revision  atomic.Int64
	ready     chan struct{}
	barrier   barrier

	// applying is held while a batch is applied, or a resource comes or goes.
	applying sync.Mutex
	// filled is the revision that the cache was last filled at; guarded by applying.
	filled int64

	mu sync.Mutex
	// advanced is closed and replaced whenever revision grows.
	advanced chan struct{}
	// passed are moments at which the revision grew, about one per second, the latest one, and of those older than the window one.
	passed []moment
	// nudged is when progress was last requested.
	nudged time.Time
}

// moment is when a revision became the present.
type moment struct {
	at       time.Time
	revision int64
}

// New returns a cache that is empty until Run.
func New(cfg Config) *Cache {
	if cfg.Window == 0 {
		cfg.Window = DefaultWindow
	}
	if cfg.LogBytes == 0 {
		cfg.LogBytes = DefaultLogBytes
	}
	if cfg.LogLimit == 0 {
		cfg.LogLimit = DefaultLogLimit
	}
	if cfg.EncodingBytes == 0 {
		cfg.EncodingBytes = DefaultEncodingBytes
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.RealClock{}
	}
	c := &Cache{cfg: cfg, ready: make(chan struct{}), advanced: make(chan struct{}), encodings: &budget{limit: cfg.EncodingBytes}}
	c.barrier.cache = c
	resources := map[string]*resource{}
	for _, r := range cfg.Resources {
		resources[r.Prefix] = c.newResource(r)
	}
	c.resources.Store(&resources)
	return c
}

// Run fills the cache and follows the store until ctx ends.
func (c *Cache) Run(ctx context.Context) error {
	var head int64
	fill := func(ctx context.Context) (err error) { head, err = c.fill(ctx); return err }
	if err := c.insist(ctx, fill); err != nil {
		return err
	}
	var waiting sync.WaitGroup
	defer waiting.Wait()
	waiting.Go(func() { c.announce(ctx, head) })
	for {
		err := c.cfg.Store.Follow(ctx, c.cfg.Prefix, c.revision.Load(), c.deliver)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.cfg.Logger.Log(ctx, slog.LevelInfo-2, "store watch broke", "err", err)
		if errors.Is(err, store.ErrCompacted) {
			// What was missed is unknown: start over, and let the watchers end.
			err = c.insist(ctx, fill)
		} else {
			err = pause(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// announce makes the cache ready once the replay has reached what was the present when it was filled.
func (c *Cache) announce(ctx context.Context, head int64) {
	for {
		err := c.WaitFor(ctx, head)
		if err == nil {
			close(c.ready)
			return
		}
		if pause(ctx) != nil {
			return
		}
	}
}

// deliver applies a batch of whole commits.
func (c *Cache) deliver(b store.Batch) error {
	c.applying.Lock()
	defer c.applying.Unlock()
	now := c.cfg.Clock.Now()
	var touched []*resource
	for _, e := range b.Events {
		r := c.resourceOf(e.Key)
		if r == nil {
			continue
		}
		if len(r.staged) == 0 {
			touched = append(touched, r)
		}
		r.stage(e, now)
	}
	for _, r := range touched {
		r.commit(now.Add(-c.cfg.Window))
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
	c.remember(moment{c.cfg.Clock.Now(), revision})
	close(c.advanced)
	c.advanced = make(chan struct{})
}

// remember keeps a moment, and of those older than the window only the newest. The lock is held.
func (c *Cache) remember(m moment) {
	if n := len(c.passed); n > 1 && c.passed[n-1].at.Sub(c.passed[n-2].at) < time.Second {
		c.passed[n-1] = m
	} else {
		c.passed = append(c.passed, m)
	}
	for len(c.passed) > 1 && m.at.Sub(c.passed[1].at) > c.cfg.Window {
		c.passed = c.passed[1:]
	}
}

// withinWindow tells whether a revision was the present at some time during the window.
func (c *Cache) withinWindow(revision int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	oldest := c.cfg.Clock.Now().Add(-c.cfg.Window)
	for _, m := range c.passed {
		if m.revision > revision {
			return m.at.After(oldest)
		}
	}
	return true
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
