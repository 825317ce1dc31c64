package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// coverage: whoever resumes behind a batch's revision misses nothing, also in the middle of a long catch-up.
func coverage(t *testing.T, s store.Store) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	start, err := s.Revision(ctx)
	must(t, start, err)
	const writes = 2500
	revision := int64(0)
	for range writes {
		revision, err = s.Update(ctx, put("/r/n", "v"), revision)
		must(t, revision, err)
	}
	for seen, after := 0, start; seen < writes; {
		err := s.Follow(ctx, "/r/", after, func(b store.Batch) error {
			for _, e := range b.Events {
				if e.Revision != after+1 {
					t.Errorf("revision %d after %d", e.Revision, after)
				}
				seen, after = seen+1, e.Revision
			}
			if b.Revision < after || len(b.Events) > 0 && seen < writes && b.Revision != after {
				t.Errorf("a batch that ends with revision %d says %d", after, b.Revision)
			}
			return errEnough
		})
		if t.Failed() || !errors.Is(err, errEnough) {
			t.Fatalf("follow: %v", err)
		}
	}
}

// wholeCommits: the keys of one transaction come together.
func wholeCommits(t *testing.T, s store.Store) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	start, err := s.Revision(ctx)
	must(t, start, err)
	for commit := range 20 {
		var puts []store.Put
		for i := range 50 {
			puts = append(puts, store.Put{Key: fmt.Sprintf("/r/%d/%d", commit, i), Value: make([]byte, 1000)})
		}
		if n, err := s.CreateMissing(ctx, puts); err != nil || n != len(puts) {
			t.Fatalf("created %d, %v", n, err)
		}
	}
	seen := 0
	err = s.Follow(ctx, "/r/", start, func(b store.Batch) error {
		if len(b.Events)%50 != 0 {
			t.Errorf("%d events: a commit was split", len(b.Events))
		}
		if seen += len(b.Events); seen == 1000 {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("follow: %v after %d", err, seen)
	}
}

// progress: a follower that asks learns of revisions outside its prefix.
func progress(t *testing.T, s store.Store) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	start, err := s.Create(ctx, put("/r/a", "1"))
	must(t, start, err)
	batches := make(chan store.Batch)
	go func() {
		_ = s.Follow(ctx, "/r/", start-1, func(b store.Batch) error {
			select {
			case batches <- b:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	for caughtUp := false; !caughtUp; {
		caughtUp = (<-batches).Revision >= start
	}
	outside, err := s.Create(ctx, put("/other", "1"))
	must(t, outside, err)
	if err := s.RequestProgress(ctx); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case b := <-batches:
			if len(b.Events) != 0 {
				t.Fatalf("events %v", b.Events)
			}
			if b.Revision >= outside {
				return
			}
		case <-ctx.Done():
			t.Fatal("no progress")
		}
	}
}

// cancelled: nothing outlives its context.
func cancelled(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Follow(ctx, "/r/", 1, func(store.Batch) error { return nil }) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("follow: %v", err)
	}
	if _, err := s.Create(ctx, put("/r/a", "1")); err == nil {
		t.Fatal("a write with a cancelled context succeeded")
	}
}
