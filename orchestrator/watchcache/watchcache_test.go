package watchcache_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

func TestBarrierSeesEveryCommittedWrite(t *testing.T) {
	w := newWorld(t)
	w.start()
	for i := range 200 {
		value := fmt.Sprint(i)
		revision := w.put(pods+"a", value)
		if i%3 == 0 {
			// Writes outside the cache's prefix move the revision without an event.
			revision = w.put("/outside", value)
		}
		w.barrier()
		if o, ok := w.cache.Get(pods, pods+"a"); !ok || string(o.Value) != value {
			t.Fatalf("after write %d: %v", i, o)
		}
		if w.cache.Revision() < revision {
			t.Fatalf("at %d, want %d", w.cache.Revision(), revision)
		}
	}
}

func TestWatchDeliversOnceInOrder(t *testing.T) {
	w := newWorld(t)
	w.start()
	first := w.put(pods+"a", "1")
	w.put(leases+"x", "1")
	second := w.put(pods+"a", "2")
	w.put(pods+"b", "unreadable")
	gone := w.remove(pods + "a")
	w.put(pods+"a", "3")
	w.barrier()
	for name, test := range map[string]struct {
		after int64
		want  []string
	}{
		"from before":       {first - 1, []string{"added a=1", "modified a=2", "deleted a=2", "added a=3"}},
		"from the first":    {first, []string{"modified a=2", "deleted a=2", "added a=3"}},
		"from the second":   {second, []string{"deleted a=2", "added a=3"}},
		"from the deletion": {gone, []string{"added a=3"}},
	} {
		t.Run(name, func(t *testing.T) { w.expect(w.watch(test.after), test.want...) })
	}
}

func TestWatchAheadOfTheCacheRepeatsNothing(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.store.sever()
	w.put(pods+"a", "1")
	seen := w.put(pods+"a", "2")
	watcher := w.watch(seen)
	w.put(pods+"a", "3")
	w.store.mend()
	w.expect(watcher, "modified a=3")
}

func TestBrokenFollowResumesWithoutTheWatchersNotice(t *testing.T) {
	w := newWorld(t)
	w.start()
	watcher := w.watch(w.cache.Revision())
	w.put(pods+"a", "1")
	w.expect(watcher, "added a=1")
	w.store.sever()
	w.put(pods+"a", "2")
	w.remove(pods + "a")
	w.store.mend()
	w.expect(watcher, "modified a=2", "deleted a=2")
}

func TestCompactedFollowEndsWatchersAndStartsOver(t *testing.T) {
	w := newWorld(t)
	w.start()
	before := w.put(pods+"a", "1")
	w.barrier()
	watcher := w.watch(before)
	w.store.sever()
	w.put(pods+"a", "2")
	last := w.put(pods+"b", "1")
	w.must(w.store.Compact(w.ctx, last))
	w.store.mend()
	if _, _, err := watcher.Next(w.ctx, nil); !errors.Is(err, watchcache.ErrTooOld) {
		t.Fatalf("the watcher got %v", err)
	}
	w.barrier()
	if got := contents(w.cache.Snapshot(pods)); got != "a=2 b=1" {
		t.Fatal(got)
	}
	if _, err := w.cache.Watch(pods, before); !errors.Is(err, watchcache.ErrTooOld) {
		t.Fatalf("a new watch below the floor got %v", err)
	}
}

func TestWatchResumesAcrossARestart(t *testing.T) {
	w := newWorld(t)
	stop := w.start()
	seen := w.put(pods+"a", "1")
	w.put(pods+"b", "1")
	stop()
	w.remove(pods + "a")
	w.start()
	w.expect(w.watch(seen), "added b=1", "deleted a=1")
	if got := contents(w.cache.Snapshot(pods)); got != "b=1" {
		t.Fatal(got)
	}
}

func TestRestartBehindACompaction(t *testing.T) {
	w := newWorld(t)
	for i := range 100 {
		w.put(pods+"a", fmt.Sprint(i))
	}
	w.must(w.store.Compact(w.ctx, 90))
	w.start()
	if got := contents(w.cache.Snapshot(pods)); got != "a=99" {
		t.Fatal(got)
	}
	w.expect(w.watch(99), "modified a=98", "modified a=99")
}

func TestSnapshotsAreExact(t *testing.T) {
	w := newWorld(t)
	w.start()
	type past struct {
		revision int64
		want     string
	}
	var all []past
	for _, step := range []struct{ key, value, want string }{
		{"a", "1", "a=1"}, {"b", "1", "a=1 b=1"}, {"a", "2", "a=2 b=1"}, {"b", "", "a=2"}, {"b", "3", "a=2 b=3"}, {"a", "", "b=3"},
	} {
		if step.value == "" {
			all = append(all, past{w.remove(pods + step.key), step.want})
		} else {
			all = append(all, past{w.put(pods+step.key, step.value), step.want})
		}
	}
	w.barrier()
	for _, p := range all {
		s, err := w.cache.SnapshotAt(pods, p.revision)
		w.must(err)
		if got := contents(s); got != p.want || s.Revision() != p.revision {
			t.Errorf("at %d: %q, want %q", p.revision, got, p.want)
		}
	}
	now := w.cache.Snapshot(pods)
	w.put(pods+"z", "1")
	w.barrier()
	if got := contents(now); got != "b=3" {
		t.Errorf("a snapshot changed to %q", got)
	}
}

// TestSnapshotRevisionUnderWrites: what a snapshot says it shows, a watch from there continues without a gap or a repetition.
func TestSnapshotRevisionUnderWrites(t *testing.T) {
	w := newWorld(t)
	w.start()
	const writes = 300
	go func() {
		revision := int64(0)
		for i := range writes {
			revision, _ = w.store.Update(w.ctx, store.Put{Key: pods + "n", Value: fmt.Append(nil, i)}, revision)
		}
	}()
	for last := -1; last < writes-1; {
		s := w.cache.Snapshot(pods)
		next := 0
		if o, ok := s.Get(pods + "n"); ok {
			_, err := fmt.Sscan(string(o.Value), &next)
			w.must(err)
			last, next = next, next+1
		}
		if next == writes {
			return
		}
		events, _, err := w.watch(s.Revision()).Next(w.ctx, nil)
		w.must(err)
		if got := string(events[0].Object.Value); got != fmt.Sprint(next) {
			t.Fatalf("the first event behind %d is %s, want %d", s.Revision(), got, next)
		}
	}
}

func TestCommitsAppearWhole(t *testing.T) {
	w := newWorld(t)
	w.start()
	watcher := w.watch(w.cache.Revision())
	const commits, size = 50, 20
	go func() {
		for commit := range commits {
			var puts []store.Put
			for i := range size {
				puts = append(puts, store.Put{Key: fmt.Sprintf("%s%d-%d", pods, commit, i), Value: []byte("v")})
			}
			_, _ = w.store.CreateMissing(w.ctx, puts)
		}
	}()
	for seen := 0; seen < commits*size; {
		events, _, err := watcher.Next(w.ctx, nil)
		w.must(err)
		if seen += len(events); len(events)%size != 0 {
			t.Fatalf("%d events: a part of a commit", len(events))
		}
		if n := w.cache.Snapshot(pods).Len(); n%size != 0 || n < seen {
			t.Fatalf("a snapshot of %d objects after %d events", n, seen)
		}
	}
}

func TestHistoryIsKeptForTheWindowAndThenItsBudget(t *testing.T) {
	w := newWorld(t)
	w.start()
	old := w.put(pods+"a", "0")
	value := strings.Repeat("x", 100)
	for range 50 {
		w.put(pods+"a", value)
	}
	w.barrier()
	if _, err := w.cache.Watch(pods, old); err != nil {
		t.Fatalf("within the window, over the budget: %v", err)
	}
	stalled := w.watch(old)
	w.clock.Step(2 * watchcache.DefaultWindow)
	last := w.put(pods+"a", value)
	w.barrier()
	if _, err := w.cache.Watch(pods, old); !errors.Is(err, watchcache.ErrTooOld) {
		t.Fatalf("older than the window, over the budget: %v", err)
	}
	if _, _, err := stalled.Next(w.ctx, nil); !errors.Is(err, watchcache.ErrTooOld) {
		t.Fatalf("a watcher that stood still got %v", err)
	}
	if _, err := w.cache.Watch(pods, last-1); err != nil {
		t.Fatalf("the latest event: %v", err)
	}
}

func TestSnapshotAtLeavesTheOldPastToTheStore(t *testing.T) {
	w := newWorld(t)
	w.start()
	old := w.put(pods+"a", "1")
	w.barrier()
	w.clock.Step(2 * watchcache.DefaultWindow)
	if _, err := w.cache.SnapshotAt(pods, old); err != nil {
		t.Fatalf("old, but the present: %v", err)
	}
	newer := w.put(leases+"x", "1")
	w.barrier()
	if _, err := w.cache.SnapshotAt(pods, old); err != nil {
		t.Fatalf("just replaced: %v", err)
	}
	w.clock.Step(2 * watchcache.DefaultWindow)
	w.put(leases+"x", "2")
	w.barrier()
	if _, err := w.cache.SnapshotAt(pods, old); !errors.Is(err, watchcache.ErrTooOld) {
		t.Fatalf("replaced before the window: %v", err)
	}
	if _, err := w.cache.SnapshotAt(pods, newer); err != nil {
		t.Fatalf("replaced in the window: %v", err)
	}
}

func TestProgressWithoutEvents(t *testing.T) {
	w := newWorld(t)
	w.start()
	watcher := w.watch(w.cache.Revision())
	other := w.put(leases+"x", "1")
	w.barrier()
	wake := make(chan time.Time, 1)
	wake <- time.Time{}
	events, revision, err := watcher.Next(w.ctx, wake)
	if err != nil || len(events) != 0 || revision < other {
		t.Fatalf("%v at %d, %v; want none at %d", events, revision, err, other)
	}
}

func TestResourcesComeAndGo(t *testing.T) {
	w := newWorld(t)
	w.start()
	const widgets = "/registry/example.com/widgets/"
	w.put(widgets+"a", "1")
	if _, err := w.cache.Watch(widgets, 0); !errors.Is(err, watchcache.ErrUnknownResource) {
		t.Fatalf("before: %v", err)
	}
	stopWriting, writing := make(chan struct{}), make(chan struct{})
	written := make(chan int, 1)
	go func() {
		revision, n := int64(0), 0
		for {
			select {
			case <-stopWriting:
				written <- n
				return
			default:
				n++
				revision, _ = w.store.Update(w.ctx, store.Put{Key: widgets + "n", Value: fmt.Append(nil, n)}, revision)
				if n == 1 {
					close(writing)
				}
			}
		}
	}()
	<-writing
	w.must(w.cache.AddResource(w.ctx, resource(widgets)))
	close(stopWriting)
	n := <-written
	w.barrier()
	if o, ok := w.cache.Get(widgets, widgets+"a"); !ok || string(o.Value) != "1" {
		t.Fatal("what was there before is missing")
	}
	if o, ok := w.cache.Get(widgets, widgets+"n"); !ok || string(o.Value) != fmt.Sprint(n) {
		t.Fatalf("%v, want %d", o, n)
	}
	watcher, err := w.cache.Watch(widgets, w.cache.Revision())
	w.must(err)
	w.cache.RemoveResource(widgets)
	if _, _, err := watcher.Next(w.ctx, nil); !errors.Is(err, watchcache.ErrTooOld) {
		t.Fatalf("a watcher of a removed resource got %v", err)
	}
	if _, ok := w.cache.Get(widgets, widgets+"a"); ok {
		t.Fatal("still there")
	}
}

func TestEncodingsAreMadeOnceWithinABudget(t *testing.T) {
	w := newWorld(t)
	for i := range 10 {
		w.put(fmt.Sprintf("%s%d", pods, i), "v")
	}
	w.start()
	made := 0
	encode := func(i int) {
		o, ok := w.cache.Get(pods, fmt.Sprintf("%s%d", pods, i))
		if !ok {
			t.Fatal("missing")
		}
		_, err := o.Encoding(watchcache.EncodingKey{Version: "v1"}, func() ([]byte, error) { made++; return make([]byte, 800), nil })
		w.must(err)
	}
	for range 5 {
		encode(0)
	}
	if made != 1 {
		t.Fatalf("made %d times", made)
	}
	for i := range 10 {
		encode(i)
		encode(0) // In use all the time: it stays.
	}
	if made != 10 {
		t.Fatalf("made %d, want 10", made)
	}
	if encode(1); made != 11 {
		t.Fatal("ten encodings of 1000 bytes fit a budget of 4000")
	}
}

func TestEncodingErrorsAreNotKept(t *testing.T) {
	o := &watchcache.Object{}
	key := watchcache.EncodingKey{MediaType: "json"}
	if _, err := o.Encoding(key, func() ([]byte, error) { return nil, errBroken }); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	if b, err := o.Encoding(key, func() ([]byte, error) { return []byte("ok"), nil }); err != nil || string(b) != "ok" {
		t.Fatalf("%s, %v", b, err)
	}
}
