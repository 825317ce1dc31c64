package watchcache_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

// filled returns a running cache with n pods.
func filled(b *testing.B, n int) (*watchcache.Cache, store.Store) {
	s := memory.New()
	var puts []store.Put
	for i := range n {
		puts = append(puts, store.Put{Key: fmt.Sprintf("%sns/%05d", pods, i), Value: make([]byte, 1000)})
	}
	if _, err := s.CreateMissing(b.Context(), puts); err != nil {
		b.Fatal(err)
	}
	c := watchcache.New(watchcache.Config{Store: s, Prefix: "/registry/", Resources: []watchcache.Resource{resource(pods)}, Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-done })
	if err := c.Barrier(b.Context()); err != nil {
		b.Fatal(err)
	}
	return c, s
}

func BenchmarkGet(b *testing.B) {
	c, _ := filled(b, 5000)
	for b.Loop() {
		if _, ok := c.Get(pods, pods+"ns/02500"); !ok {
			b.Fatal("missing")
		}
	}
}

func BenchmarkList5000(b *testing.B) {
	c, _ := filled(b, 5000)
	for b.Loop() {
		n := 0
		c.Snapshot(pods).Range(pods, "", func(*watchcache.Object) bool { n++; return true })
		if n != 5000 {
			b.Fatal(n)
		}
	}
}

// BenchmarkFanOut500 is one write seen by 500 watchers, each asking for the shared encoding.
func BenchmarkFanOut500(b *testing.B) {
	c, s := filled(b, 5000)
	ctx, cancel := context.WithCancel(b.Context())
	var watchers, seen sync.WaitGroup
	for range 500 {
		w, err := c.Watch(pods, c.Revision())
		if err != nil {
			b.Fatal(err)
		}
		watchers.Go(func() {
			for {
				events, _, err := w.Next(ctx, nil)
				if err != nil {
					return
				}
				for _, e := range events {
					_, _ = e.Object.Encoding(watchcache.EncodingKey{Version: "v1"}, func() ([]byte, error) { return make([]byte, 1000), nil })
					seen.Done()
				}
			}
		})
	}
	revision := int64(0)
	for b.Loop() {
		seen.Add(500)
		var err error
		if revision, err = s.Update(ctx, store.Put{Key: pods + "ns/x", Value: make([]byte, 1000)}, revision); err != nil {
			b.Fatal(err)
		}
		seen.Wait()
	}
	cancel()
	watchers.Wait()
}
