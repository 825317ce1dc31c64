package page

import (
	"fmt"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// faultRow is one fault from its injection to the witness of its healing.
type faultRow struct {
	Name string
	Y    int
	// LabelX is where the name stands: at the bar's beginning, or before its end when it begins far right.
	LabelX string
	Right  bool
	// Parts are the stretches of the bar: taking effect, in effect, healing. X and W is the whole.
	Parts []part
	X, W  string
	Pins  []pin
	Open  bool
}

// part is a stretch of a fault's bar, named by what it is like.
type part struct {
	X, W, State, Tip string
}

// states are what a fault is after each of its marks.
var states = map[verdict.Kind]string{verdict.Injected: "taking", verdict.Witnessed: "effect", verdict.Healing: "healing"}

// tells is what a state means in words.
var tells = map[string]string{"taking": "injected, not yet seen to take effect", "effect": "in effect, as witnessed", "healing": "being healed, not yet seen to be healed"}

// faultsOf pairs the marks of each fault. One that is injected again after it healed gets a row of its own.
func faultsOf(s scale, marks []verdict.Mark, y *int) (rows []faultRow) {
	var lives [][]verdict.Mark
	open := map[string]int{} // the life that a fault's next mark belongs to
	for _, m := range marks {
		if m.Kind == verdict.Phase || m.Kind == verdict.Leader {
			continue
		}
		i, ok := open[m.Subject]
		if !ok || m.Kind == verdict.Injected {
			i, lives = len(lives), append(lives, nil)
			open[m.Subject] = i
		}
		lives[i] = append(lives[i], m)
		if m.Kind == verdict.Healed {
			delete(open, m.Subject)
		}
	}
	for _, life := range lives {
		rows = append(rows, rowOf(s, life, *y))
		*y += faultHeight
	}
	return rows
}

func rowOf(s scale, life []verdict.Mark, y int) faultRow {
	first, last := life[0], life[len(life)-1]
	row := faultRow{Name: first.Subject, Y: y, LabelX: s.x(first.At), Open: last.Kind != verdict.Healed}
	until := last.At
	if row.Open {
		until = s.until
	}
	row.X, row.W = s.x(first.At), s.w(until.Sub(first.At))
	if s.share(first.At) > 0.5 {
		row.Right, row.LabelX = true, s.x(until)
	}
	for i, m := range life {
		tip := fmt.Sprintf("%s %s: %s", s.offset(m.At), m.Kind, m.Subject)
		if m.Text != "" {
			tip += ", " + m.Text
		}
		row.Pins = append(row.Pins, pin{s.x(m.At), m.Kind, tip})
		next := until
		if i+1 < len(life) {
			next = life[i+1].At
		}
		if state := states[m.Kind]; state != "" && next.After(m.At) {
			row.Parts = append(row.Parts, part{s.x(m.At), s.w(next.Sub(m.At)), state, lasted(tells[state], next.Sub(m.At))})
		}
	}
	return row
}

func lasted(what string, d time.Duration) string { return what + ": " + seconds(d.Seconds()) }
