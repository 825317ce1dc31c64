package history

import (
	"fmt"
	"slices"
)

// Watched holds every watch against the writes and against the other watches: versions rise, each write that was acknowledged and each event
// that any other watch saw is there, nothing twice, nothing that nobody wrote. Gaps are allowed to the clients that mayExpire names: those of
// an apiserver that was itself restarted and whose memory of the past begins anew.
func Watched(h History, mayExpire ...string) []string {
	var wrong []string
	happened := map[int64]Event{}
	for _, c := range h.Calls {
		if c.acknowledged() {
			happened[c.Version] = Event{Key: c.Key, Value: c.Value, Version: c.Version}
		}
	}
	for _, w := range h.Watches {
		for _, e := range w.Events {
			if _, known := happened[e.Version]; !known {
				happened[e.Version] = e
			}
		}
	}
	tried := map[Event]bool{}
	for _, c := range h.Calls {
		if c.isWrite() {
			tried[Event{Key: c.Key, Value: c.Value}] = true
		}
	}
	for _, w := range h.Watches {
		wrong = append(wrong, w.inOrder(happened, tried)...)
		wrong = append(wrong, w.complete(happened, h.End)...)
		if len(w.Gaps) > 0 && !slices.Contains(mayExpire, w.Client) {
			wrong = append(wrong, fmt.Sprintf("the watch through %s was told that version %d is too old", w.Client, w.Gaps[0].From))
		}
	}
	return wrong
}

// inOrder checks what the watch saw.
func (w Watch) inOrder(happened map[int64]Event, tried map[Event]bool) []string {
	var wrong []string
	last := w.From
	for _, e := range w.Events {
		switch {
		case e.Version <= last:
			wrong = append(wrong, fmt.Sprintf("the watch through %s saw version %d after %d", w.Client, e.Version, last))
		case happened[e.Version] != e:
			wrong = append(wrong, fmt.Sprintf("the watch through %s saw version %d as %s=%q, others %s=%q",
				w.Client, e.Version, e.Key, e.Value, happened[e.Version].Key, happened[e.Version].Value))
		case !tried[Event{Key: e.Key, Value: e.Value}]:
			wrong = append(wrong, fmt.Sprintf("the watch through %s saw %s=%q, which nobody wrote", w.Client, e.Key, e.Value))
		}
		last = max(last, e.Version)
	}
	return wrong
}

// complete checks what it did not see.
func (w Watch) complete(happened map[int64]Event, end int64) []string {
	seen := map[int64]bool{}
	for _, e := range w.Events {
		seen[e.Version] = true
	}
	var missed []int64
	for version := range happened {
		if version > w.From && version <= end && !seen[version] && !w.inGap(version) {
			missed = append(missed, version)
		}
	}
	if len(missed) == 0 {
		return nil
	}
	slices.Sort(missed)
	return []string{fmt.Sprintf("the watch through %s missed %d events, the first of version %d", w.Client, len(missed), missed[0])}
}

func (w Watch) inGap(version int64) bool {
	return slices.ContainsFunc(w.Gaps, func(g Gap) bool { return version > g.From && version <= g.To })
}
