package watchcache

import (
	"sort"
	"time"
)

// EventType of a watch event.
type EventType int

// The types of events.
const (
	Added EventType = iota
	Modified
	Deleted
)

// Event is one change. Object is the new state, or for Deleted the last one; Previous is nil for Added.
type Event struct {
	Type             EventType
	Object, Previous *Object
	Revision         int64
	at               time.Time
}

// size estimates what the log alone keeps alive of an event, in bytes: the object that was replaced, as it is stored and as it was decoded.
func (e *Event) size() int64 {
	const (
		overhead = 256
		// decoded objects have pointers, headers and strings for what are tags in their bytes; long texts are as long as before.
		decoded = 2 << 10
	)
	if e.Previous == nil {
		return overhead
	}
	return overhead + decoded + 2*int64(len(e.Previous.Value))
}

// eventLog is a resource's recent past. It only grows at its end; a slice handed out stays valid.
type eventLog struct {
	events []Event
	bytes  int64
	// floor is the newest revision whose successors may be missing.
	floor int64
	// base is the number of events trimmed: positions in the log count from the start of the epoch.
	base int
	// epoch changes when the log starts over.
	epoch int
}

// restart begins anew behind a revision, and returns what is forgotten by that.
func (l *eventLog) restart(floor int64) []Event {
	forgotten := l.events
	*l = eventLog{floor: floor, epoch: l.epoch + 1}
	return forgotten
}

func (l *eventLog) append(events []Event) {
	for i := range events {
		l.bytes += events[i].size()
	}
	l.events = append(l.events, events...)
}

// trim forgets events from before oldest if the log exceeds some bytes, and younger ones too if it exceeds its limit: a flood of changes must not
// fill the memory. It then goes down to three quarters, so that each event is moved only a few times; a commit is forgotten as a whole. It returns
// what it has forgotten.
func (l *eventLog) trim(oldest time.Time, bytes, limit int64) []Event {
	if l.bytes <= bytes {
		return nil
	}
	n, left := 0, l.bytes
	over := left > limit
	drop := func() {
		left -= l.events[n].size()
		n++
	}
	for n < len(l.events) && (over && left > limit*3/4 || left > bytes*3/4 && l.events[n].at.Before(oldest)) {
		drop()
	}
	for n > 0 && n < len(l.events) && l.events[n].Revision == l.events[n-1].Revision {
		drop()
	}
	// Few old events among many young ones: copying all for them is not worth it.
	if n == 0 || !over && n < len(l.events)/4 {
		return nil
	}
	forgotten := l.events[:n]
	l.floor = l.events[n-1].Revision
	l.base += n
	l.bytes = left
	l.events = append([]Event(nil), l.events[n:]...)
	return forgotten
}

// after is the position of the first event behind a revision.
func (l *eventLog) after(revision int64) int {
	return l.base + sort.Search(len(l.events), func(i int) bool { return l.events[i].Revision > revision })
}
