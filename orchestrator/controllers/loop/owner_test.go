package loop

import (
	"log/slog"
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOwnersAreWokenBeforeAndAfterAChange(t *testing.T) {
	of := func(kind, name string) *core.Pod {
		yes := true
		return &core.Pod{ObjectMeta: meta.ObjectMeta{Namespace: "n", OwnerReferences: []meta.OwnerReference{{Kind: kind, Name: name, Controller: &yes}}}}
	}
	orphan := &core.Pod{ObjectMeta: meta.ObjectMeta{Namespace: "n", Name: "orphan"}}
	for _, row := range []struct {
		name     string
		old, new *core.Pod
		woken    []string
		adopted  int
	}{
		{"made", nil, of("Job", "a"), []string{"n/a"}, 0},
		{"gone", of("Job", "a"), nil, []string{"n/a"}, 0},
		{"handed over", of("Job", "a"), of("Job", "b"), []string{"n/a", "n/b"}, 0},
		{"released", of("Job", "a"), orphan, []string{"n/a"}, 1},
		{"of another kind", of("ReplicaSet", "a"), of("ReplicaSet", "a"), nil, 0},
		{"still an orphan", orphan, orphan, nil, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := New(t.Context(), 1, slog.New(slog.DiscardHandler), nil)
			adopted := 0
			Owners(l, "Job", row.old, row.new, func(*core.Pod) { adopted++ })
			Owners(l, "Job", row.old, row.new, nil)
			var woken []string
			for l.queue.Len() > 0 {
				key, _ := l.queue.Get()
				woken = append(woken, key)
			}
			if !slices.Equal(woken, row.woken) || adopted != row.adopted {
				t.Errorf("woken %v, shown %d orphans; want %v and %d", woken, adopted, row.woken, row.adopted)
			}
		})
	}
}
