package page

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// overview is the whole run on one time axis: a stroke for each requirement, in as many rows as ran at once, and the leader changes above.
type overview struct {
	scale
	Height, Bottom int
	Strokes        []stroke
	Changes        []changeRow
	Observed       []string
	Unexplained    int
	// Looked: somebody did look at who leads.
	Looked bool
	Ticks  []tick
}

// stroke is one requirement's time.
type stroke struct {
	ID, X, W, Tip string
	Y             int
	Outcome       verdict.Outcome
}

// changeRow is a change of a leader.
type changeRow struct {
	verdict.LeaderChange
	X, Lead, Tip string
}

const (
	strokeTop    = 24
	strokeHeight = 16
)

func overviewOf(r *record.Report) overview {
	o := overview{scale: scale{from: r.Run.Began, until: r.Run.Ended, zero: r.Run.Began}}
	ran := slices.DeleteFunc(slices.Clone(r.Results), func(r verdict.Result) bool { return r.Began.IsZero() })
	for _, one := range ran {
		if one.Began.Before(o.from) {
			o.from = one.Began
		}
		if end(one).After(o.until) {
			o.until = end(one)
		}
	}
	o.stretch()
	slices.SortStableFunc(ran, func(a, b verdict.Result) int { return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.ID, b.ID)) })
	var free []time.Time // when each row ends
	for _, one := range ran {
		row := slices.IndexFunc(free, func(at time.Time) bool { return !one.Began.Before(at) })
		if row < 0 {
			row, free = len(free), append(free, time.Time{})
		}
		free[row] = end(one)
		o.Strokes = append(o.Strokes, stroke{
			ID: one.ID, X: o.x(one.Began), W: o.w(end(one).Sub(one.Began)), Y: strokeTop + row*strokeHeight, Outcome: one.Outcome,
			Tip: fmt.Sprintf("%s %s, %s: %s", one.ID, plain(one.Outcome), seconds(one.Seconds), one.Requirement),
		})
	}
	o.Bottom = strokeTop + len(free)*strokeHeight + 4
	o.Height = o.Bottom + axisHeight
	o.Ticks = o.ticks()
	if l := r.Leadership; l != nil {
		o.Looked, o.Observed, o.Unexplained = true, l.Observed, l.Unexplained
		for _, c := range l.Changes {
			o.Changes = append(o.Changes, changeRow{c, o.x(c.At), lead(c), fmt.Sprintf("%s %s %s", o.offset(c.At), c.Subject, lead(c))})
		}
	}
	return o
}

// Summary is the drawing in a sentence.
func (o overview) Summary() string {
	return fmt.Sprintf("The run over %s: when each of %s ran, and %s.", seconds(o.span.Seconds()), many(len(o.Strokes), "requirement"), many(len(o.Changes), "leader change"))
}

// Since is the time from the run's beginning.
func (o overview) Since(at time.Time) string { return o.offset(at) }
