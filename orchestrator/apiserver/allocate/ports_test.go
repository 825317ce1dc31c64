package allocate

import (
	"errors"
	"sync"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
)

func TestPortsAreNeverGivenTwice(t *testing.T) {
	shared := memory.New()
	var mu sync.Mutex
	var all sync.WaitGroup
	seen := map[int32]bool{}
	for range 3 { // three apiservers
		all.Go(func() {
			p := &ports{store: shared, first: 30000, count: 2768}
			for range 50 {
				n, err := p.take(t.Context(), 0, false)
				mu.Lock()
				if err != nil || seen[n] {
					t.Errorf("took %d, err %v, seen %v", n, err, seen[n])
				}
				seen[n] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

func TestPortByWish(t *testing.T) {
	p := &ports{store: memory.New(), first: 30000, count: 2768}
	for _, row := range []struct {
		name string
		port int32
		want error
	}{{"free", 30001, nil}, {"taken", 30001, errTaken}, {"below", 29999, errOutside}, {"above", 32768, errOutside}} {
		if _, err := p.take(t.Context(), row.port, false); !errors.Is(err, row.want) {
			t.Errorf("%s: got %v, want %v", row.name, err, row.want)
		}
	}
	if n, err := p.take(t.Context(), 5, true); n != 5 || err != nil {
		t.Errorf("a dry run outside of the range: %d, %v", n, err)
	}
	p.give(t.Context(), 30001)
	if _, err := p.take(t.Context(), 30001, false); err != nil {
		t.Errorf("after release: %v", err)
	}
}
