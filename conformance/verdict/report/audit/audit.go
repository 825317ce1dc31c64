// Package audit computes the verdict of a report again from its evidence, and tells where the report says anything else.
//
// It owns the rules of what a stated pass needs behind it: every history of clients judged again, every fault witnessed and healed, no budget
// overspent, every file as it was sealed. What only the cluster could tell it believes, and it never asks one. It is fed a report's folder by plumb
// verify and by package merged, and feeds them Findings. It repairs nothing.
package audit

import (
	"context"
	"fmt"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// Finding is one thing for which a report cannot be trusted, in one line: the file and the field, what is wrong there, what to do.
type Finding struct{ Where, Wrong, Fix string }

func (f Finding) String() string { return f.Where + ": " + f.Wrong + "; " + f.Fix }

// What to do about a finding.
const (
	restore = "copy the folder again from where the run wrote it, or run plumb check again"
	rerun   = "do not rely on this report: run plumb check again"
)

// Audit is what was found.
type Audit struct {
	Report *record.Report
	// Findings are empty when the report can be trusted: then Verdict is the one that it states.
	Findings []Finding
	// Verdict is what the evidence makes of the results; zero when Foreign.
	Verdict verdict.Verdict
	// Foreign reports are of another list of requirements, and only the plumb that made them can tell what must be in them.
	Foreign bool
	// Histories, Faults and Budgets are how many were held against the rules.
	Histories, Faults, Budgets int

	dir string
	// flawed are the files about which a finding tells already.
	flawed map[string]bool
}

// Of audits the report in a folder. An error, of one line, means that there is none to audit: it is truncated, or no report of this format.
func Of(ctx context.Context, dir string) (*Audit, error) {
	r, data, err := report.ReadBytes(dir)
	if err != nil {
		return nil, err
	}
	if err := report.Validate(data); err != nil {
		return nil, fmt.Errorf("%s/%s: %w; %s", dir, report.Name, err, restore)
	}
	a := &Audit{Report: r, dir: dir, flawed: map[string]bool{}}
	if err := a.files(); err != nil {
		return nil, err
	}
	if r.Manifest != verdict.Digest() {
		a.Foreign = true
		a.find("manifest", fmt.Sprintf("plumb %s made the report, with another list of requirements than this plumb has", r.Environment.Harness.Version),
			"verify it with the plumb that made it")
		return a, nil
	}
	wanted, err := a.wanted()
	if err != nil {
		a.find("profiles", err.Error(), rerun)
		return a, nil
	}
	selected := a.selected(wanted)
	a.listed(wanted, selected)
	a.stated(wanted, selected)
	a.granted()
	results, err := a.judged(ctx)
	if err != nil {
		return nil, err
	}
	a.Verdict = verdict.Judge(wanted, results, selected, r.Doubts...)
	return a, nil
}

// find notes what is wrong with a field of report.json. When the seal says that the file was edited, that is one finding, and this a part of it.
func (a *Audit) find(field, wrong, fix string) {
	where := a.dir + "/" + report.Name
	if !a.flawed[report.Name] {
		a.Findings = append(a.Findings, Finding{where + ": " + field, wrong, fix})
		return
	}
	for i, f := range a.Findings {
		if f.Where == where {
			a.Findings[i] = Finding{where + ": " + field, wrong + ": the file " + f.Wrong, f.Fix}
		}
	}
}

// files holds the folder against its seal.
func (a *Audit) files() error {
	strays, err := report.Strays(a.dir, a.Report)
	if err != nil {
		return fmt.Errorf("%s: %w", a.dir, err)
	}
	for _, f := range report.Broken(a.dir) {
		a.Findings, a.flawed[f.File] = append(a.Findings, Finding{a.dir + "/" + f.File, f.Wrong, restore}), true
	}
	for _, f := range strays {
		a.Findings = append(a.Findings, Finding{a.dir + "/" + f.File, f.Wrong, "move it elsewhere if it is yours"})
	}
	return nil
}
