package leadership

import (
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// aftermath is how long after a spec that broke something ended a change of leaders is still its doing: a node that was given back takes its time.
const aftermath = time.Minute

// Explain tells of each change which requirement's fault it may come from.
func Explain(observed []string, changes []verdict.LeaderChange, results []verdict.Result) *verdict.Leadership {
	told := &verdict.Leadership{Observed: observed, Changes: []verdict.LeaderChange{}}
	for _, c := range changes {
		c.Because = cause(c.At, results)
		told.Changes = append(told.Changes, c)
	}
	told.Unexplained = verdict.Unexplained(told.Changes)
	return told
}

// cause is the requirement in whose fault, or its aftermath, a moment lies; the latest of several.
func cause(at time.Time, results []verdict.Result) (id string) {
	var latest time.Time
	for _, r := range results {
		from, to, ok := faults(r)
		if ok && !at.Before(from) && !at.After(to.Add(aftermath)) && from.After(latest) {
			id, latest = r.ID, from
		}
	}
	return id
}

// faults is the time from a result's first fault to its end; ok is false when it broke nothing.
func faults(r verdict.Result) (from, to time.Time, ok bool) {
	if r.Timeline == nil {
		return from, to, false
	}
	for _, m := range r.Timeline.Marks {
		if m.Kind == verdict.Injected && (!ok || m.At.Before(from)) {
			from, ok = m.At, true
		}
		if m.At.After(to) {
			to = m.At
		}
	}
	if end := r.Began.Add(time.Duration(r.Seconds * float64(time.Second))); end.After(to) {
		to = end
	}
	return from, to, ok
}
