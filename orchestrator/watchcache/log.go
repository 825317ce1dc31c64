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

// size is what the log alone keeps alive of an event: the value that it replaced.
func (e *Event) size() int64 {
	const overhead = 256
	if e.Previous == nil {
		return overhead
	}
	return overhead + int64(len(e.Previous.Value))
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

func (l *eventLog) restart(floor int64) {
	*l = eventLog{floor: floor, epoch: l.epoch + 1}
}

func (l *eventLog) append(events []Event) {
	for i := range events {
		l.bytes += events[i].size()
	}
	l.events = append(l.events, events...)
}

// trim forgets events from before oldest if the log exceeds limit bytes. It then goes down to three quarters of that, so that each event is
// moved only a few times; a commit is forgotten as a whole.
func (l *eventLog) trim(oldest time.Time, limit int64) {
	if l.bytes <= limit {
		return
	}
	n, bytes := 0, l.bytes
	for n < len(l.events) && l.events[n].at.Before(oldest) && bytes > limit*3/4 {
		bytes -= l.events[n].size()
		n++
	}
	for n > 0 && n < len(l.events) && l.events[n].Revision == l.events[n-1].Revision {
		bytes -= l.events[n].size()
		n++
	}
	// Few old events among many young ones: copying all for them is not worth it.
	if n == 0 || n < len(l.events)/4 {
		return
	}
	l.floor = l.events[n-1].Revision
	l.base += n
	l.bytes = bytes
	l.events = append([]Event(nil), l.events[n:]...)
}

// after is the position of the first event behind a revision.
func (l *eventLog) after(revision int64) int {
	return l.base + sort.Search(len(l.events), func(i int) bool { return l.events[i].Revision > revision })
}
