package page

import (
	"fmt"
	"slices"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// chart is the timeline of one requirement as it is drawn: along it everything is in per cent of the width, so that it fits every screen with
// letters of one size; down it everything is in pixels.
type chart struct {
	scale
	ID     string
	Height int
	// Top is where the marks of the phases end and the plot begins, Bottom where it ends and the axis begins.
	Top, Bottom int
	Phases      []band
	Faults      []faultRow
	Flags       []pin
	FlagsY      int
	Lanes       []lane
	Ticks       []tick
	Moments     []momentRow
	Budgets     []spent
	// Thinned is how many calls that went well are not drawn.
	Thinned int
}

// band is a stretch of time.
type band struct {
	X, W  string
	Label string
	Odd   bool
	// Named: there is room for some of the label.
	Named bool
}

// nameShare is how wide a band is, as a part of the chart, for its name to be worth writing on a phone.
const nameShare = 0.08

// pin is a moment on the chart.
type pin struct {
	X    string
	Kind verdict.Kind
	Tip  string
}

// momentRow is a line of the list below the chart, which says the same in words.
type momentRow struct {
	verdict.Mark
	Offset string
}

// The heights of rows, in pixels.
const (
	phaseHeight = 22
	faultHeight = 34
	flagHeight  = 26
	laneHeight  = 38
	axisHeight  = 22
)

// chartOf draws a result's timeline; nil when it has none. changes are the leader changes that the run's own observer laid to this requirement.
func chartOf(r verdict.Result, changes []verdict.LeaderChange) *chart {
	if r.Timeline == nil {
		return nil
	}
	marks := marksOf(r.Timeline.Marks, changes)
	c := &chart{ID: r.ID, scale: scaleOf(r, marks), Budgets: spentOf(r.Timeline.Spent)}
	if c.span <= 0 {
		return nil
	}
	for _, m := range marks {
		c.Moments = append(c.Moments, momentRow{m, c.offset(m.At)})
	}
	c.phases(marks)
	y := 0
	if len(c.Phases) > 0 {
		y = phaseHeight
	}
	c.Top = y
	c.Faults = faultsOf(c.scale, marks, &y)
	c.flags(marks, &y)
	for _, l := range r.Timeline.Lanes {
		c.Lanes = append(c.Lanes, laneOf(c.scale, l, y))
		c.Thinned += c.Lanes[len(c.Lanes)-1].Thinned
		y += laneHeight
	}
	c.Bottom = y
	c.Height = y + axisHeight
	c.Ticks = c.ticks()
	for i := range c.Budgets {
		c.Budgets[i].Offset = c.offset(r.Timeline.Spent[i].From)
	}
	return c
}

// marksOf are the marks in the order of time, and with them the leader changes of subjects whose changes the spec has not marked itself.
func marksOf(own []verdict.Mark, changes []verdict.LeaderChange) []verdict.Mark {
	marks := slices.Clone(own)
	for _, c := range changes {
		if slices.ContainsFunc(own, func(m verdict.Mark) bool { return m.Kind == verdict.Leader && m.Subject == c.Subject }) {
			continue
		}
		marks = append(marks, verdict.Mark{At: c.At, Kind: verdict.Leader, Subject: c.Subject, Text: lead(c)})
	}
	slices.SortStableFunc(marks, func(a, b verdict.Mark) int { return a.At.Compare(b.At) })
	return marks
}

// lead says from whom to whom.
func lead(c verdict.LeaderChange) string {
	switch {
	case c.From != "" && c.To != "":
		return c.From + " → " + c.To
	case c.To != "":
		return "→ " + c.To
	case c.From != "":
		return c.From + " lost it"
	}
	return "a new leader was elected"
}

func (c *chart) phases(marks []verdict.Mark) {
	var begun []verdict.Mark
	for _, m := range marks {
		if m.Kind == verdict.Phase {
			begun = append(begun, m)
		}
	}
	for i, m := range begun {
		until := c.until
		if i+1 < len(begun) {
			until = begun[i+1].At
		}
		label := m.Subject
		if m.Text != "" {
			label += ": " + m.Text
		}
		c.Phases = append(c.Phases, band{X: c.x(m.At), W: c.w(until.Sub(m.At)), Label: label, Odd: i%2 == 1, Named: float64(until.Sub(m.At)) > nameShare*float64(c.span)})
	}
}

func (c *chart) flags(marks []verdict.Mark, y *int) {
	for _, m := range marks {
		if m.Kind == verdict.Leader {
			c.Flags = append(c.Flags, pin{c.x(m.At), m.Kind, fmt.Sprintf("%s leader of %s %s", c.offset(m.At), m.Subject, m.Text)})
		}
	}
	if len(c.Flags) > 0 {
		c.FlagsY = *y
		*y += flagHeight
	}
}

// Summary is the chart in one sentence, for those who cannot see it; the list below tells the rest.
func (c *chart) Summary() string {
	text := fmt.Sprintf("Timeline of %s over %s: %s, %s", c.ID, seconds(c.span.Seconds()), many(len(c.Faults), "fault"), many(len(c.Flags), "leader change"))
	failed := 0
	for _, l := range c.Lanes {
		failed += l.Failed.N
	}
	if len(c.Lanes) > 0 {
		text += fmt.Sprintf(", %s with %s", many(len(c.Lanes), "client"), many(failed, "failed call"))
	}
	return text + "."
}

// begunBy is the moment at which a timeline begins: the earliest of all that it shows.
func begunBy(r verdict.Result, marks []verdict.Mark) (from, until time.Time) {
	reach := func(at time.Time, took float64) {
		if from.IsZero() || at.Before(from) {
			from = at
		}
		if ended := at.Add(time.Duration(took * float64(time.Second))); ended.After(until) {
			until = ended
		}
	}
	for _, m := range marks {
		reach(m.At, 0)
	}
	for _, l := range r.Timeline.Lanes {
		for _, call := range l.Calls {
			reach(call.At, call.Took)
		}
	}
	for _, s := range r.Timeline.Spent {
		reach(s.From, s.Took)
	}
	return from, until
}

// Below is how far it is from a row to the axis, FlagsText and FlagsMid where the leaders' row has its word and its flags.
func (c *chart) Below(y int) int { return c.Bottom - y }
func (c *chart) FlagsText() int  { return c.FlagsY + 17 }
func (c *chart) FlagsMid() int   { return c.FlagsY + 13 }
