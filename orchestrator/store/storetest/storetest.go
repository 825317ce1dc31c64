// Package storetest is the one suite that every store.Store passes: the invariants of package store, each as a subtest.
//
// The tests of store/etcd and store/memory feed it a way to open an empty store. It knows nothing of how either keeps its data.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// patience bounds how long a test waits for something that must happen.
const patience = 20 * time.Second

// Run tests the stores that open returns: an empty one for each subtest.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for name, test := range map[string]func(t *testing.T, s store.Store){
		"writes expect a revision":              expectations,
		"lists are sorted, paged and of a past": lists,
		"follow misses and repeats nothing":     follow,
		"follow resumes":                        resume,
		"a batch covers what it says":           coverage,
		"a commit is delivered whole":           wholeCommits,
		"progress without events":               progress,
		"a cancelled context ends":              cancelled,
		"compaction ends the past":              compaction,
		"keys end with their TTL":               ttl,
		"create missing":                        createMissing,
		"concurrent updates lose nothing":       counters,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func must(t *testing.T, revision int64, err error) int64 {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

func put(key, value string) store.Put { return store.Put{Key: key, Value: []byte(value)} }

func expectations(t *testing.T, s store.Store) {
	ctx := t.Context()
	if _, err := s.Get(ctx, "/r/a"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("absent key: %v", err)
	}
	r1, err := s.Create(ctx, put("/r/a", "1"))
	must(t, r1, err)
	_, err = s.Create(ctx, put("/r/a", "again"))
	wantConflict(t, err, "1", r1)
	r2, err := s.Update(ctx, put("/r/a", "2"), r1)
	if must(t, r2, err) <= r1 {
		t.Fatalf("revision %d after %d", r2, r1)
	}
	_, err = s.Update(ctx, put("/r/a", "late"), r1)
	wantConflict(t, err, "2", r2)
	_, err = s.Delete(ctx, "/r/a", r1)
	wantConflict(t, err, "2", r2)
	r3, err := s.Delete(ctx, "/r/a", r2)
	if must(t, r3, err) <= r2 {
		t.Fatalf("revision %d after %d", r3, r2)
	}
	_, err = s.Update(ctx, put("/r/a", "gone"), r2)
	wantConflict(t, err, "", 0)
	now, err := s.Revision(ctx)
	if must(t, now, err) != r3 {
		t.Fatalf("revision %d, want %d", now, r3)
	}
}

func wantConflict(t *testing.T, err error, value string, revision int64) {
	t.Helper()
	var conflict *store.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("got %v, want a conflict", err)
	}
	if string(conflict.Current.Value) != value || conflict.Current.ModRevision != revision {
		t.Fatalf("current is %q at %d, want %q at %d", conflict.Current.Value, conflict.Current.ModRevision, value, revision)
	}
}

func keys(page store.Page) []string {
	var all []string
	for _, e := range page.Entries {
		all = append(all, e.Key)
	}
	return all
}

func lists(t *testing.T, s store.Store) {
	ctx := t.Context()
	var then int64
	for _, k := range []string{"/r/b", "/r/a", "/r/c", "/s/x"} {
		r, err := s.Create(ctx, put(k, k))
		then = must(t, r, err)
	}
	late, err := s.Create(ctx, put("/r/d", "d"))
	must(t, late, err)
	changed, err := s.Update(ctx, put("/r/d", "e"), late)
	must(t, changed, err)
	if past, err := s.List(ctx, "/r/d", store.ListOptions{Revision: late}); err != nil || len(past.Entries) != 1 ||
		past.Entries[0].ModRevision != late || string(past.Entries[0].Value) != "d" {
		t.Fatalf("past %+v, %v", past, err)
	}
	late = changed
	first, err := s.List(ctx, "/r/", store.ListOptions{Limit: 2, Revision: then})
	if err != nil || !slices.Equal(keys(first), []string{"/r/a", "/r/b"}) || !first.More || first.Remaining != 1 || first.Revision != then {
		t.Fatalf("first page %+v, %v", first, err)
	}
	second, err := s.List(ctx, "/r/", store.ListOptions{Limit: 2, Revision: then, After: "/r/b"})
	if err != nil || !slices.Equal(keys(second), []string{"/r/c"}) || second.More {
		t.Fatalf("second page %+v, %v", second, err)
	}
	now, err := s.List(ctx, "/r/", store.ListOptions{})
	if err != nil || len(now.Entries) != 4 || now.Revision != late {
		t.Fatalf("now %+v, %v", now, err)
	}
	if _, err := s.List(ctx, "/r/", store.ListOptions{Revision: late + 100}); !errors.Is(err, store.ErrFutureRevision) {
		t.Fatalf("future: %v", err)
	}
}

// collector gathers a Follow's events until it has enough.
type collector struct {
	events []string
	last   int64
}

var errEnough = errors.New("enough")

// collect follows until n events came.
func collect(t *testing.T, s store.Store, after int64, n int) *collector {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := &collector{}
	err := s.Follow(ctx, "/r/", after, func(b store.Batch) error {
		for _, e := range b.Events {
			c.events = append(c.events, describe(e))
		}
		c.last = b.Revision
		if len(c.events) >= n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("follow: %v after %v", err, c.events)
	}
	return c
}

func describe(e store.Event) string {
	switch {
	case e.Deleted:
		return fmt.Sprintf("delete %s was %s", e.Key, e.Previous)
	case e.Created:
		return fmt.Sprintf("create %s %s", e.Key, e.Value)
	}
	return fmt.Sprintf("update %s %s was %s", e.Key, e.Value, e.Previous)
}

func follow(t *testing.T, s store.Store) {
	ctx := t.Context()
	before, err := s.Create(ctx, put("/r/a", "1"))
	must(t, before, err)
	go func() {
		r, _ := s.Update(ctx, put("/r/a", "2"), before)
		_, _ = s.Create(ctx, put("/other/x", "x"))
		_, _ = s.Create(ctx, put("/r/b", "1"))
		_, _ = s.Delete(ctx, "/r/a", r)
	}()
	got := collect(t, s, before, 3)
	want := []string{"update /r/a 2 was 1", "create /r/b 1", "delete /r/a was 2"}
	if !slices.Equal(got.events, want) {
		t.Fatalf("got %q, want %q", got.events, want)
	}
}

func resume(t *testing.T, s store.Store) {
	ctx := t.Context()
	start, err := s.Revision(ctx)
	must(t, start, err)
	var revisions []int64
	for i := range 10 {
		r, err := s.Create(ctx, put(fmt.Sprintf("/r/%d", i), "v"))
		revisions = append(revisions, must(t, r, err))
	}
	for after := range 9 {
		got := collect(t, s, revisions[after], 9-after)
		if len(got.events) != 9-after || got.events[0] != fmt.Sprintf("create /r/%d v", after+1) {
			t.Fatalf("after %d: %q", after, got.events)
		}
	}
	if all := collect(t, s, start, 10); len(all.events) != 10 {
		t.Fatalf("from the start: %q", all.events)
	}
}

func compaction(t *testing.T, s store.Store) {
	ctx := t.Context()
	old, err := s.Create(ctx, put("/r/a", "1"))
	must(t, old, err)
	newer, err := s.Update(ctx, put("/r/a", "2"), old)
	must(t, newer, err)
	if err := s.Compact(ctx, newer); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(ctx, old); err != nil {
		t.Fatalf("compacting what is compacted: %v", err)
	}
	if _, err := s.List(ctx, "/r/", store.ListOptions{Revision: old}); !errors.Is(err, store.ErrCompacted) {
		t.Fatalf("list of a compacted revision: %v", err)
	}
	err = s.Follow(ctx, "/r/", old-1, func(store.Batch) error { return errEnough })
	if !errors.Is(err, store.ErrCompacted) {
		t.Fatalf("follow from a compacted revision: %v", err)
	}
	if e, err := s.Get(ctx, "/r/a"); err != nil || string(e.Value) != "2" {
		t.Fatalf("the present: %+v, %v", e, err)
	}
}

func ttl(t *testing.T, s store.Store) {
	start, err := s.Revision(t.Context())
	must(t, start, err)
	r, err := s.Create(t.Context(), store.Put{Key: "/r/short", Value: []byte("v"), TTL: time.Second})
	must(t, r, err)
	got := collect(t, s, start, 2)
	if want := []string{"create /r/short v", "delete /r/short was v"}; !slices.Equal(got.events, want) {
		t.Fatalf("got %q, want %q", got.events, want)
	}
}

func createMissing(t *testing.T, s store.Store) {
	ctx := t.Context()
	r, err := s.Create(ctx, put("/r/7", "mine"))
	must(t, r, err)
	var puts []store.Put
	for i := range 300 {
		puts = append(puts, put(fmt.Sprintf("/r/%d", i), "theirs"))
	}
	for _, want := range []int{299, 0} {
		if n, err := s.CreateMissing(ctx, puts); err != nil || n != want {
			t.Fatalf("created %d, %v; want %d", n, err, want)
		}
	}
	if e, err := s.Get(ctx, "/r/7"); err != nil || string(e.Value) != "mine" {
		t.Fatalf("an existing key was overwritten: %+v, %v", e, err)
	}
}

func counters(t *testing.T, s store.Store) {
	ctx := t.Context()
	r, err := s.Create(ctx, put("/r/n", ""))
	must(t, r, err)
	const writers, rounds = 8, 25
	done := make(chan error, writers)
	for range writers {
		go func() { done <- add(ctx, s, rounds) }()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if e, err := s.Get(ctx, "/r/n"); err != nil || len(e.Value) != writers*rounds {
		t.Fatalf("%d of %d updates are there, %v", len(e.Value), writers*rounds, err)
	}
}

// add appends a byte to /r/n, n times, each on the value that it saw.
func add(ctx context.Context, s store.Store, n int) error {
	current, err := s.Get(ctx, "/r/n")
	if err != nil {
		return err
	}
	for n > 0 {
		r, err := s.Update(ctx, put("/r/n", string(current.Value)+"x"), current.ModRevision)
		var conflict *store.ConflictError
		switch {
		case errors.As(err, &conflict):
			current = conflict.Current
		case err != nil:
			return err
		default:
			current = store.Entry{Value: append(slices.Clone(current.Value), 'x'), ModRevision: r}
			n--
		}
	}
	return nil
}
