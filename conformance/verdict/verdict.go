// Package verdict decides what a run proves. It fails closed: a requirement that is missing, skipped, interrupted or not witnessed is never a pass.
//
// It is fed the manifest of requirements and the outcome of each spec, and feeds report and the exit code. It runs nothing.
package verdict

import (
	"fmt"
	"slices"
	"sort"
	"strings"
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
	// Images are those that ran in the spec's pods.
	Images []Image `json:"images,omitempty"`
	// Attempts are all runs of it when it ran again, the first one first. Outcome is the worst of them; evidence and timeline are the last one's.
	Attempts []Attempt `json:"attempts,omitempty"`
}

// Image is an image by the name that a pod gave, with the digest that its node reported.
type Image struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

// Evidence is one named record of a spec. What is big stands in a file of the report's folder instead of in Text.
type Evidence struct {
	Name string `json:"name"`
	Text string `json:"text,omitempty"`
	// File is its path in the folder, SHA256 that of its bytes.
	File   string `json:"file,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	Bytes  int64  `json:"bytes,omitempty"`
}

// Names of the evidence that is short enough to be printed beside a failure: the spec's objects, a line each, and their events.
const (
	Objects = "objects"
	Events  = "events"
)

// Names of the evidence from which a verdict is computed again: every call and watch of a client load, as package history keeps it, and the
// summary of its judges.
const (
	History = "history"
	Judged  = "judged"
)

// Brief tells whether people want to see it at once.
func (e Evidence) Brief() bool { return e.Name == Objects || e.Name == Events }

// Exit codes of plumb check.
const (
	ExitConformant   = 0
	ExitFailed       = 1
	ExitUsage        = 2
	ExitInconclusive = 3
	// ExitInfrastructure: what was to run the suite did not work - an engine, a boot, a clean-up. Nothing was learned about the cluster.
	ExitInfrastructure = 4
)

// Verdict over the results of the requested profiles.
type Verdict struct {
	Text    string `json:"text"`
	Exit    int    `json:"exit"`
	Partial bool   `json:"partial"`
	// Doubts are why the results alone do not decide.
	Doubts  []Doubt         `json:"doubts,omitempty"`
	Counts  map[Outcome]int `json:"counts"`
	Results []Result        `json:"results"`
	// Leadership is how leaders changed meanwhile; nil when nobody looked.
	Leadership *Leadership `json:"leadership,omitempty"`
}

// Doubt is a reason why a run cannot be conclusive: it was interrupted, its target was lost or changed.
type Doubt struct {
	Text string `json:"text"`
	// Outranks failures: nobody knows what they were failures of.
	Outranks bool `json:"outranks,omitempty"`
}

// Judge holds the results against the manifest: wanted is every requirement of the requested profiles, ran what was seen. selected, when it is not
// nil, are the IDs that a focus, a shard or a rerun left of them: then there is no verdict, only a count, but what was selected must have run.
func Judge(wanted []Requirement, ran []Result, selected []string, doubts ...Doubt) Verdict {
	byID := map[string]Result{}
	for _, r := range ran {
		byID[r.ID] = Worse(byID[r.ID], r)
	}
	v := Verdict{Partial: selected != nil, Doubts: doubts, Counts: map[Outcome]int{}}
	for _, w := range wanted {
		r, ok := byID[w.ID]
		if !ok {
			if v.Partial && !slices.Contains(selected, w.ID) {
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

// Worse keeps the worse of two results of one requirement: a retry never turns a failure into a pass.
func Worse(a, b Result) Result {
	rank := map[Outcome]int{"": 0, Passed: 1, Skipped: 2, Missing: 2, Inconclusive: 3, Failed: 4}
	if rank[a.Outcome] > rank[b.Outcome] {
		return a
	}
	return b
}

func (v *Verdict) conclude(wanted int) {
	ran := len(v.Results) - v.Counts[Missing]
	outranked := slices.IndexFunc(v.Doubts, func(d Doubt) bool { return d.Outranks })
	switch {
	case outranked >= 0:
		v.Exit, v.Text = ExitInconclusive, "INCONCLUSIVE: "+v.Doubts[outranked].Text
	case v.Counts[Failed] > 0:
		v.Exit, v.Text = ExitFailed, "NOT CONFORMANT"
	case ran == 0:
		v.Exit, v.Text = ExitInconclusive, "INCONCLUSIVE: nothing ran"
	case len(v.Doubts) > 0:
		v.Exit, v.Text = ExitInconclusive, "INCONCLUSIVE: "+v.Doubts[0].Text
	case v.Counts[Passed] != len(v.Results):
		v.Exit, v.Text = ExitInconclusive, "INCONCLUSIVE"
	default:
		v.Exit, v.Text = ExitConformant, "CONFORMANT"
	}
	if v.Partial {
		_, doubt, _ := strings.Cut(v.Text, ":")
		v.Text = "PARTIAL"
		if len(v.Doubts) > 0 && doubt != "" {
			v.Text += ":" + doubt
		}
	}
	v.Text = fmt.Sprintf("%s: %d of %d requirements passed", v.Text, v.Counts[Passed], wanted)
}
