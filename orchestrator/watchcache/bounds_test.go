package watchcache_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

func TestAFloodWithinTheWindowIsBounded(t *testing.T) {
	w := newWorld(t)
	w.start()
	old := w.put(pods+"a", "0")
	value := strings.Repeat("x", 10_000)
	for range 100 { // two megabytes, of which the limit allows one
		w.put(pods+"a", value)
	}
	w.barrier()
	if _, err := w.cache.Watch(pods, old); !errors.Is(err, watchcache.ErrTooOld) {
		t.Fatalf("all of the flood is kept: %v", err)
	}
	if floor := w.cache.Floor(pods); floor <= old {
		t.Fatalf("the floor is %d", floor)
	}
	last := w.put(pods+"a", "1")
	w.barrier()
	if _, err := w.cache.Watch(pods, last-1); err != nil {
		t.Fatalf("the latest event: %v", err)
	}
	if got := contents(w.cache.Snapshot(pods)); got != "a=1" {
		t.Fatal(got)
	}
}

func TestReplacedObjectsLeaveTheMemory(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.put(pods+"a", "0")
	w.barrier()
	o, _ := w.cache.Get(pods, pods+"a")
	_, err := o.Encoding(watchcache.EncodingKey{Version: "v1"}, func() ([]byte, error) { return []byte("encoded"), nil })
	w.must(err)
	replaced := weak.Make(o)
	o = nil
	for i := range 100 {
		w.put(pods+"a", fmt.Sprint(i)+strings.Repeat("x", 10_000))
	}
	w.barrier()
	for range 3 {
		runtime.GC()
	}
	if replaced.Value() != nil {
		t.Error("an object that no log and no reader has any more is kept by its encoding")
	}
}

func TestThePastIsLookedUpBesideTheWriters(t *testing.T) {
	w := newWorld(t)
	w.start()
	first := w.put(pods+"n", "0")
	w.barrier()
	done := make(chan error, 4)
	for range cap(done) {
		go func() {
			for range 200 {
				s, err := w.cache.SnapshotAt(pods, first)
				if err != nil {
					done <- err
					return
				}
				if got := contents(s); got != "n=0" {
					done <- errors.New(got)
					return
				}
			}
			done <- nil
		}()
	}
	for i := range 30 {
		w.put(pods+"n", fmt.Sprint(i))
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
