package watchcache

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// TestIndexFollowsObjects: an object is found under its latest index value only, and no more once it is gone.
func TestIndexFollowsObjects(t *testing.T) {
	c := New(Config{Logger: slog.New(slog.DiscardHandler)})
	r := c.newResource(Resource{Prefix: "/p/", Extract: func(_ string, value []byte, _ int64) (Meta, error) { return Meta{Index: string(value)}, nil }})
	step := func(revision int64, key, value string, deleted bool) {
		r.stage(store.Event{Key: key, Value: []byte(value), Revision: revision, Deleted: deleted}, time.Time{})
		r.commit(time.Time{})
	}
	found := func(value string) string {
		var keys []string
		r.snapshot.Load().Indexed(value, func(o *Object) bool { keys = append(keys, o.Key); return true })
		return strings.Join(keys, " ")
	}
	step(1, "/p/b", "n1", false)
	step(2, "/p/a", "n1", false)
	step(3, "/p/c", "", false)
	before := r.snapshot.Load()
	for value, want := range map[string]string{"n1": "/p/a /p/b", "n2": "", "n": ""} {
		if got := found(value); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	step(4, "/p/a", "n2", false)
	step(5, "/p/b", "n1", true)
	if found("n1") != "" || found("n2") != "/p/a" {
		t.Errorf("after a move and a deletion: n1 %q, n2 %q", found("n1"), found("n2"))
	}
	n := 0
	before.Indexed("n1", func(*Object) bool { n++; return true })
	if n != 2 {
		t.Errorf("an older snapshot has changed: %d objects", n)
	}
}
