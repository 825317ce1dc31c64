package watchcache_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"

	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

const (
	pods     = "/registry/pods/"
	leases   = "/registry/leases/"
	patience = 20 * time.Second
)

func extract(key string, value []byte, _ int64) (watchcache.Meta, error) {
	if string(value) == "unreadable" {
		return watchcache.Meta{}, errors.New("unreadable")
	}
	return watchcache.Meta{Name: key[strings.LastIndexByte(key, '/')+1:]}, nil
}

func resource(prefix string) watchcache.Resource {
	return watchcache.Resource{Prefix: prefix, Extract: extract}
}

// breakable is a store whose Follow ends on demand, and waits until it is mended.
type breakable struct {
	store.Store

	mu     sync.Mutex
	cut    context.CancelFunc
	mended chan struct{}
}

var errBroken = errors.New("broken")

func (b *breakable) Follow(ctx context.Context, prefix string, after int64, deliver func(store.Batch) error) error {
	b.mu.Lock()
	mended := b.mended
	inner, cut := context.WithCancel(ctx)
	b.cut = cut
	b.mu.Unlock()
	defer cut()
	select {
	case <-mended:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := b.Store.Follow(inner, prefix, after, deliver)
	if ctx.Err() == nil && errors.Is(err, context.Canceled) {
		return errBroken
	}
	return err
}

func (b *breakable) sever() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mended = make(chan struct{})
	if b.cut != nil {
		b.cut()
	}
}

func (b *breakable) mend() { close(b.mended) }

// world is a cache on a store in memory.
type world struct {
	*testing.T
	ctx   context.Context
	store *breakable
	cache *watchcache.Cache
	clock *testingclock.FakeClock
	// revisions of keys.
	at map[string]int64
}

func newWorld(t *testing.T) *world {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	mended := make(chan struct{})
	close(mended)
	w := &world{T: t, ctx: ctx, store: &breakable{Store: memory.New(), mended: mended}, clock: testingclock.NewFakeClock(time.Now()), at: map[string]int64{}}
	return w
}

// start runs a cache until the test ends or the returned function is called.
func (w *world) start() (stop func()) {
	w.Helper()
	w.cache = watchcache.New(watchcache.Config{
		Store: w.store, Prefix: "/registry/", Resources: []watchcache.Resource{resource(pods), resource(leases)},
		Clock: w.clock, LogBytes: 1000, LogLimit: 1_000_000, EncodingBytes: 4000, Logger: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.cache.Run(ctx)
	}()
	stop = func() { cancel(); <-done }
	w.Cleanup(stop)
	w.must(w.cache.WaitReady(w.ctx))
	return stop
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) put(key, value string) int64 {
	w.Helper()
	r, err := w.store.Update(w.ctx, store.Put{Key: key, Value: []byte(value)}, w.at[key])
	w.must(err)
	w.at[key] = r
	return r
}

func (w *world) remove(key string) int64 {
	w.Helper()
	r, err := w.store.Delete(w.ctx, key, w.at[key])
	w.must(err)
	delete(w.at, key)
	return r
}

func (w *world) barrier() {
	w.Helper()
	w.must(w.cache.Barrier(w.ctx))
}

func (w *world) watch(after int64) *watchcache.Watcher {
	w.Helper()
	watcher, err := w.cache.Watch(pods, after)
	w.must(err)
	return watcher
}

// expect reads events until it has as many as it wants.
func (w *world) expect(watcher *watchcache.Watcher, want ...string) {
	w.Helper()
	var got []string
	for len(got) < len(want) {
		events, _, err := watcher.Next(w.ctx, nil)
		if err != nil {
			w.Fatalf("%v after %q, want %q", err, got, want)
		}
		for _, e := range events {
			got = append(got, fmt.Sprintf("%s %s=%s", [...]string{"added", "modified", "deleted"}[e.Type], e.Object.Name, e.Object.Value))
		}
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		w.Fatalf("got %q, want %q", got, want)
	}
}

func contents(s *watchcache.Snapshot) string {
	var all []string
	s.Range(pods, "", func(o *watchcache.Object) bool {
		all = append(all, o.Name+"="+string(o.Value))
		return true
	})
	return strings.Join(all, " ")
}
