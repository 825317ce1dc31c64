package routes

import (
	"fmt"
	"slices"
	"time"
)

// Removal is an endpoint that left a Service while it went on answering, so that whoever still reached it is seen.
type Removal struct {
	Who string
	// At is when the API showed the Service without it, Until when it was about to come back.
	At, Until time.Duration
}

// Misrouted are the calls that reached a removed endpoint.
type Misrouted struct {
	// Sent are the calls that began while it was removed, Wrong those of them that it answered or that were lost.
	Sent, Wrong int
	// Last is how long after the removal the last wrong one was sent; 0 when there was none.
	Last time.Duration
}

// After looks at the calls that began while an endpoint was removed. A lost call counts too: its connection was sent to where nobody answers.
func After(calls []Call, r Removal) Misrouted {
	var m Misrouted
	for _, c := range calls {
		if c.Begin < r.At || c.Begin >= r.Until {
			continue
		}
		m.Sent++
		if c.Who == r.Who || c.Lost() {
			m.Wrong++
			m.Last = max(m.Last, c.Begin-r.At)
		}
	}
	return m
}

// Spread of times: their median, 99th percentile and greatest.
type Spread struct{ P50, P99, Max time.Duration }

// SpreadOf is that of all; its zero value of none. A percentile is the smallest of the times that so many are not above.
func SpreadOf(all []time.Duration) Spread {
	if len(all) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(all))
	at := func(percent int) time.Duration { return sorted[(len(sorted)*percent+99)/100-1] }
	return Spread{P50: at(50), P99: at(99), Max: sorted[len(sorted)-1]}
}

func (s Spread) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
	return fmt.Sprintf("p50 %s, p99 %s, max %s", round(s.P50), round(s.P99), round(s.Max))
}
