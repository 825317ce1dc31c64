package history

import (
	"slices"
	"time"
)

// Outage is the longest time between from and to in which no write of a client was acknowledged: what its user has to sit out.
func Outage(calls []Call, client string, from, to time.Duration) (longest time.Duration) {
	moments := []time.Duration{from, to}
	for _, c := range calls {
		if c.Client == client && c.acknowledged() && c.End > from && c.End < to {
			moments = append(moments, c.End)
		}
	}
	slices.Sort(moments)
	for i := 1; i < len(moments); i++ {
		longest = max(longest, moments[i]-moments[i-1])
	}
	return longest
}
