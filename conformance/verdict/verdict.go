// Package verdict decides what a run proves. It fails closed: a requirement that is missing, skipped, interrupted or not witnessed is never a pass.
//
// It is fed the manifest of requirements and the outcome of each spec, and feeds report and the exit code. It runs nothing.
package verdict

import (
	"fmt"
	"sort"
	"time"
)

// Outcome of one requirement.
type Outcome string

// The outcomes. Missing: no spec of that ID ran. Inconclusive: it ran, but what it needed to witness was not witnessed.
const (
	Passed       Outcome = "passed"
	Failed       Outcome = "failed"
	Skipped      Outcome = "skipped"
	Inconclusive Outcome = "inconclusive"
	Missing      Outcome = "missing"
)

// Result of one requirement.
type Result struct {
	ID          string  `json:"id"`
	Profile     string  `json:"profile"`
	Requirement string  `json:"requirement"`
	Outcome     Outcome `json:"outcome"`
	// Began is when the spec's body began; Seconds is how long it took with its clean-up.
	Began   time.Time `json:"began,omitzero"`
	Seconds float64   `json:"seconds"`
	// Message says why it did not pass.
	Message string `json:"message,omitempty"`
	// Evidence is what the spec recorded: witnesses, objects, events.
	Evidence []Evidence `json:"evidence,omitempty"`
	// Timeline is there when the spec broke something.
	Timeline *Timeline `json:"timeline,omitempty"`
}

// Evidence is one named record of a spec.
type Evidence struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Names of the evidence that is short enough to be printed beside a failure: the spec's objects, a line each, and their events.
const (
	Objects = "objects"
	Events  = "events"
)

// Brief tells whether people want to see it at once.
func (e Evidence) Brief() bool { return e.Name == Objects || e.Name == Events }

// Exit codes of plumb check.
const (
	ExitConformant   = 0
	ExitFailed       = 1
	ExitUsage        = 2
	ExitInconclusive = 3
)

// Verdict over the results of the requested profiles.
type Verdict struct {
	Text    string          `json:"text"`
	Exit    int             `json:"exit"`
	Partial bool            `json:"partial"`
	Counts  map[Outcome]int `json:"counts"`
	Results []Result        `json:"results"`
	// Leadership is how leaders changed meanwhile; nil when nobody looked.
	Leadership *Leadership `json:"leadership,omitempty"`
}

// Judge holds the results against the manifest: wanted is every requirement of the requested profiles, ran what was seen.
// partial is true when a focus narrowed the run: then there is no verdict, only a count.
func Judge(wanted []Requirement, ran []Result, partial bool) Verdict {
	byID := map[string]Result{}
	for _, r := range ran {
		byID[r.ID] = worse(byID[r.ID], r)
	}
	v := Verdict{Partial: partial, Counts: map[Outcome]int{}}
	for _, w := range wanted {
		r, ok := byID[w.ID]
		if !ok {
			if partial {
				continue
			}
			r = Result{Outcome: Missing, Message: "no spec of this requirement ran"}
		}
		r.ID, r.Profile, r.Requirement = w.ID, w.Profile, w.Text
		v.Results = append(v.Results, r)
		v.Counts[r.Outcome]++
	}
	sort.Slice(v.Results, func(i, j int) bool { return v.Results[i].ID < v.Results[j].ID })
	v.conclude(len(wanted))
	return v
}

// worse keeps the worse of two results of one requirement: a retry never turns a failure into a pass.
func worse(a, b Result) Result {
	rank := map[Outcome]int{"": 0, Passed: 1, Skipped: 2, Inconclusive: 3, Failed: 4}
	if rank[a.Outcome] > rank[b.Outcome] {
		return a
	}
	return b
}

func (v *Verdict) conclude(wanted int) {
	ran := len(v.Results) - v.Counts[Missing]
	switch {
	case v.Counts[Failed] > 0:
		v.Exit, v.Text = ExitFailed, "NOT CONFORMANT"
	case ran == 0:
		v.Exit, v.Text = ExitInconclusive, "INCONCLUSIVE: nothing ran"
	case v.Counts[Passed] != len(v.Results):
		v.Exit, v.Text = ExitInconclusive, "INCONCLUSIVE"
	default:
		v.Exit, v.Text = ExitConformant, "CONFORMANT"
	}
	if v.Partial {
		v.Text = "PARTIAL"
	}
	v.Text = fmt.Sprintf("%s: %d of %d requirements passed", v.Text, v.Counts[Passed], wanted)
}
