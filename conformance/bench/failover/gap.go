package failover

import (
	"slices"
	"time"
)

// longestGap is the longest time without an acknowledged write that ended after a moment: from one acknowledgement to the next, or to the end
// where none followed. The gap may have begun before the moment: when exactly a node died is known to nobody outside of it.
func longestGap(acknowledged []time.Time, after, end time.Time) time.Duration {
	sorted := slices.SortedFunc(slices.Values(acknowledged), time.Time.Compare)
	last, longest := after, time.Duration(0)
	for _, at := range sorted {
		if at.Before(after) {
			last = at
			continue
		}
		longest = max(longest, at.Sub(last))
		last = at
	}
	return max(longest, end.Sub(last))
}
