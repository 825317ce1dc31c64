package failover

import (
	"testing"
	"time"
)

func TestLongestGap(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	for _, row := range []struct {
		name         string
		acknowledged []int
		end, want    int
	}{
		{"no break", []int{90, 100, 110, 120, 130}, 135, 10},
		{"one that began before the moment", []int{80, 90, 300, 310, 320}, 325, 210},
		{"one that ended before it does not count", []int{10, 90, 100, 110}, 115, 10},
		{"one that never ended", []int{90, 100}, 1000, 900},
		{"no write at all", nil, 1000, 900},
		{"the longer of two", []int{100, 200, 210, 500, 510}, 515, 290},
		{"acknowledgements out of order", []int{310, 90, 300}, 315, 210},
	} {
		t.Run(row.name, func(t *testing.T) {
			var all []time.Time
			for _, ms := range row.acknowledged {
				all = append(all, at(ms))
			}
			if got := longestGap(all, at(100), at(row.end)).Milliseconds(); got != int64(row.want) {
				t.Errorf("longestGap is %d ms, want %d", got, row.want)
			}
		})
	}
}
