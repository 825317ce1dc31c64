// Package history holds what clients of a cluster saw while it was broken, and judges it.
//
// A History is every call of a client load with its outcome, every watch event, and what was stored in the end. The judges (Lost,
// Linearizable, Fresh, Watched; all of them: Judge) are pure. It is fed by history/load and feeds the specs; it knows nothing of clients.
//
// Two kinds of key are written. A register is overwritten again and again by everyone: its reads show whether clients see one order. A record is
// created once and never touched: in the end it must be there. All values are different, so that a value names its write.
package history

import "time"

// Op is what a call does.
type Op string

// The operations. Get reads without a resourceVersion: it must see everything acknowledged before it began. GetAt asks for a state that is
// at least as new as a resourceVersion.
const (
	Create Op = "create"
	Put    Op = "put"
	Get    Op = "get"
	GetAt  Op = "get at"
)

// Outcome of a call.
type Outcome string

// The outcomes. Unknown: no answer, or one that leaves open whether the write happened.
const (
	OK      Outcome = "ok"
	Failed  Outcome = "failed"
	Unknown Outcome = "unknown"
)

// Call is one request.
type Call struct {
	Client string `json:"client"`
	Phase  string `json:"phase"`
	Op     Op     `json:"op"`
	Key    string `json:"key"`
	// Value is what a write wrote or a read found; empty when it found nothing.
	Value string `json:"value,omitempty"`
	// Version is the resourceVersion that the write got or the read found, At what a GetAt asked for.
	Version int64 `json:"version,omitempty"`
	At      int64 `json:"at,omitempty"`
	// Begin and End are counted from the start of the load.
	Begin   time.Duration `json:"begin"`
	End     time.Duration `json:"end"`
	Outcome Outcome       `json:"outcome"`
	Error   string        `json:"error,omitempty"`
}

func (c Call) isWrite() bool { return c.Op == Create || c.Op == Put }

// acknowledged writes are promises.
func (c Call) acknowledged() bool { return c.isWrite() && c.Outcome == OK }

// Event is one watch event.
type Event struct {
	Key     string `json:"key"`
	Value   string `json:"value"`
	Version int64  `json:"version"`
}

// Gap is what a watch missed because its last version was no longer served (410): it listed again at To.
type Gap struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Watch is what one client saw from version From on, through as many connections as it took.
type Watch struct {
	Client string  `json:"client"`
	From   int64   `json:"from"`
	Events []Event `json:"events"`
	Gaps   []Gap   `json:"gaps,omitempty"`
}

// Stored is an object as it was found in the end.
type Stored struct {
	Value   string `json:"value"`
	Version int64  `json:"version"`
}

// History of one load.
type History struct {
	Calls   []Call            `json:"calls"`
	Watches []Watch           `json:"watches"`
	Final   map[string]Stored `json:"final"`
	// End is the version of the last write: watches must have come as far.
	End int64 `json:"end"`
}
