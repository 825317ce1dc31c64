package history

import (
	"fmt"
	"time"
)

// Enough is how much load each phase must have had, so that a loss would have shown.
type Enough struct {
	// Acknowledged writes, or attempted calls, by phase.
	Acknowledged map[string]int `json:"acknowledged,omitempty"`
	Attempted    map[string]int `json:"attempted,omitempty"`
}

// Case is a history with all that its verdict hangs on, so that anybody can compute it again.
type Case struct {
	History History `json:"history"`
	Enough  Enough  `json:"enough"`
	// MayExpire are the clients whose apiserver was restarted: it may have forgotten what their watches ask to resume from.
	MayExpire []string `json:"mayExpire,omitempty"`
}

// Judge asks all judges; limit bounds the search for one order of all calls.
func (c Case) Judge(limit time.Duration) Verdict {
	return Judge(c.History, c.Enough, limit, c.MayExpire...)
}

// Verdict of all judges.
type Verdict struct {
	// Wrong are the violations; Inconclusive says why nothing can be concluded, and is empty otherwise.
	Wrong        []string
	Inconclusive string
}

// Judge asks all judges. A violation outranks a load that was too small.
func Judge(h History, enough Enough, limit time.Duration, mayExpire ...string) Verdict {
	linear, decided := Linearizable(h, limit)
	v := Verdict{Inconclusive: h.short(enough)}
	if !decided {
		v.Inconclusive = fmt.Sprintf("linearizability was not decided within %s", limit)
	}
	for _, found := range [][]string{Lost(h), linear, Fresh(h), Watched(h, mayExpire...)} {
		v.Wrong = append(v.Wrong, found...)
	}
	return v
}

// Counts of a phase.
type Counts struct{ Attempted, Acknowledged int }

// Count the calls of a phase; Acknowledged are its acknowledged writes.
func (h History) Count(phase string) (c Counts) {
	for _, call := range h.Calls {
		if call.Phase != phase {
			continue
		}
		c.Attempted++
		if call.acknowledged() {
			c.Acknowledged++
		}
	}
	return c
}

func (h History) short(enough Enough) string {
	for phase, want := range enough.Acknowledged {
		if have := h.Count(phase).Acknowledged; have < want {
			return fmt.Sprintf("only %d of %d writes were acknowledged in phase %q", have, want, phase)
		}
	}
	for phase, want := range enough.Attempted {
		if have := h.Count(phase).Attempted; have < want {
			return fmt.Sprintf("only %d of %d calls were made in phase %q", have, want, phase)
		}
	}
	return ""
}
