package images

import (
	"slices"
	"testing"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestVictimsAreUnusedForLongest(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	present := []*runtimeapi.Image{
		{Id: "running", Size: 100, RepoTags: []string{"r:v1"}}, {Id: "recent", Size: 100}, {Id: "old", Size: 100}, {Id: "never", Size: 100},
		{Id: "pause", Size: 100, Pinned: true}, {Id: "new", Size: 100},
	}
	seen := map[string]record{
		"running": {ago(time.Hour), now}, "recent": {ago(time.Hour), ago(time.Minute)}, "old": {ago(time.Hour), ago(30 * time.Minute)},
		"never": {first: ago(time.Hour)}, "pause": {first: ago(time.Hour)}, "new": {first: ago(time.Second)},
	}
	inUse := map[string]bool{"r:v1": true}
	for name, row := range map[string]struct {
		wanted int64
		maxAge time.Duration
		want   []string
	}{
		"enough space":           {0, 0, nil},
		"a little":               {50, 0, []string{"never"}},
		"more":                   {150, 0, []string{"never", "old"}},
		"everything":             {1 << 62, 0, []string{"never", "old", "recent"}},
		"too old, enough space":  {0, 20 * time.Minute, []string{"never", "old"}},
		"too old, none that old": {0, 2 * time.Hour, nil},
	} {
		var got []string
		for _, image := range victims(present, inUse, seen, now, 2*time.Minute, row.maxAge, row.wanted) {
			got = append(got, image.Id)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
}
