// Package routes judges what the clients of a Service saw while something behind it broke or left: which requests were lost and for how long, and
// which reached an endpoint that was none any more.
//
// It is fed the calls of a load that goes on whatever becomes of its calls (scene's Load) and feeds the specs. The judges are pure, and all times
// are counted from the start of the load: how that clock relates to the one of the fault is the load's to say.
package routes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Call is one request on a connection of its own.
type Call struct {
	// Begin is when it was sent.
	Begin, Took time.Duration
	// Who answered; empty when nobody did, and then Error says why.
	Who, Error string
}

// Lost is whether nobody answered.
func (c Call) Lost() bool { return c.Error != "" }

// Loss is what was lost of the calls that began in a span of time.
type Loss struct {
	Sent, Lost int
	// First and Last are when the first and the last lost call were sent.
	First, Last time.Duration
	// Errors counts the lost calls by what was said of them.
	Errors map[string]int
}

// For is how long calls were lost: from the first to the last.
func (l Loss) For() time.Duration { return l.Last - l.First }

func (l Loss) String() string {
	if l.Lost == 0 {
		return fmt.Sprintf("none of %d requests lost", l.Sent)
	}
	var why []string
	for _, text := range slices.Sorted(maps.Keys(l.Errors)) {
		why = append(why, fmt.Sprintf("%d x %s", l.Errors[text], text))
	}
	return fmt.Sprintf("%d of %d requests lost, sent within %s (%s)", l.Lost, l.Sent, l.For().Round(time.Millisecond), strings.Join(why, "; "))
}

// Between sums up the calls that began in [from, to).
func Between(calls []Call, from, to time.Duration) Loss {
	loss := Loss{Errors: map[string]int{}}
	for _, c := range calls {
		if c.Begin < from || c.Begin >= to {
			continue
		}
		loss.Sent++
		if !c.Lost() {
			continue
		}
		if loss.Lost == 0 || c.Begin < loss.First {
			loss.First = c.Begin
		}
		loss.Last = max(loss.Last, c.Begin)
		loss.Lost++
		loss.Errors[c.Error]++
	}
	return loss
}

// Ended are the calls that had ended before a moment.
func Ended(calls []Call, at time.Duration) (ended []Call) {
	for _, c := range calls {
		if c.Begin+c.Took < at {
			ended = append(ended, c)
		}
	}
	return ended
}

// End of a load: later than any call.
const End = time.Duration(1<<63 - 1)

// Fault is a moment from which requests may be lost, and for how long.
type Fault struct {
	At, Within time.Duration
	// Enough is how many requests must have been sent before the fault, and as many after its time: fewer prove nothing.
	Enough int
}

// Verdict of a judge: Wrong are the violations, Inconclusive says why nothing can be concluded.
type Verdict struct {
	Wrong        []string
	Inconclusive string
}

// Judge holds a load against a fault: nothing that had ended before it was lost, and nothing sent later than it allows.
func Judge(calls []Call, f Fault) Verdict {
	before, after := Between(Ended(calls, f.At), 0, f.At), Between(calls, f.At+f.Within, End)
	var v Verdict
	if before.Lost > 0 {
		v.Wrong = append(v.Wrong, "before the fault: "+before.String())
	}
	if after.Lost > 0 {
		v.Wrong = append(v.Wrong, fmt.Sprintf("later than %s after the fault, the last %s after it: %s",
			f.Within, (after.Last-f.At).Round(time.Millisecond), after))
	}
	if before.Sent < f.Enough || after.Sent < f.Enough {
		v.Inconclusive = fmt.Sprintf("%d requests were sent before the fault and %d after its time, and %d of each are needed", before.Sent, after.Sent, f.Enough)
	}
	return v
}

// Moved holds the calls of a client with session affinity against the loss of its endpoint at a moment: until then only that one answered, and
// once another has answered only that other. Calls that overlap may be routed in any order. It returns who the other is.
func Moved(calls []Call, lost string, at time.Duration) (other string, wrong []string) {
	moved := End
	for _, c := range calls {
		if ended := c.Begin + c.Took; !c.Lost() && c.Begin >= at && c.Who != lost && ended < moved {
			other, moved = c.Who, ended
		}
	}
	for _, c := range slices.SortedStableFunc(slices.Values(calls), func(a, b Call) int { return cmp.Compare(a.Begin, b.Begin) }) {
		switch {
		case c.Lost():
		case c.Begin < at && c.Who != lost:
			wrong = append(wrong, fmt.Sprintf("%s answered %s before %s was lost", c.Who, (at-c.Begin).Round(time.Millisecond), lost))
		case c.Begin >= at && c.Who != lost && c.Who != other, c.Begin > moved && c.Who != other:
			wrong = append(wrong, fmt.Sprintf("%s answered %s after %s was lost, and %s had answered already", c.Who, (c.Begin-at).Round(time.Millisecond), lost, other))
		}
	}
	if other == "" {
		wrong = append(wrong, "nobody answered after "+lost+" was lost")
	}
	return other, wrong
}
