package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/audit"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/reporttest"
)

// piece is a part of a result's proof: how it is taken away, and what the finding calls it.
type piece struct {
	name string
	take func(*verdict.Result)
}

func pieces(r verdict.Result) (all []piece) {
	p := verdict.ProofOf(r.ID)
	for words := range p.Faults {
		all = append(all, piece{strings.TrimSpace(words), func(r *verdict.Result) {
			i := slices.IndexFunc(r.Timeline.Marks, func(m verdict.Mark) bool { return strings.HasPrefix(m.Subject, words) })
			fault := r.Timeline.Marks[i].Subject
			r.Timeline.Marks = slices.DeleteFunc(slices.Clone(r.Timeline.Marks), func(m verdict.Mark) bool { return m.Subject == fault })
		}})
	}
	for _, name := range p.Budgets {
		all = append(all, piece{name, func(r *verdict.Result) {
			r.Timeline.Spent = slices.DeleteFunc(slices.Clone(r.Timeline.Spent), func(s verdict.Spent) bool { return s.Budget == name })
		}})
	}
	evidence := func(names ...string) func(*verdict.Result) {
		return func(r *verdict.Result) {
			r.Evidence = slices.DeleteFunc(slices.Clone(r.Evidence), func(e verdict.Evidence) bool { return slices.Contains(names, e.Name) })
		}
	}
	for _, name := range p.Evidence {
		all = append(all, piece{name, evidence(name)})
	}
	if p.Load {
		all = append(all,
			piece{"history", evidence(verdict.History)}, piece{verdict.Judged, evidence(verdict.Judged)}, piece{verdict.History, evidence(verdict.History, verdict.Judged)},
			piece{"lane", func(r *verdict.Result) { r.Timeline.Lanes = nil }},
			piece{"phase", func(r *verdict.Result) {
				r.Timeline.Marks = slices.DeleteFunc(slices.Clone(r.Timeline.Marks), func(m verdict.Mark) bool { return m.Kind == verdict.Phase })
			}})
	}
	if len(p.Faults)+len(p.Budgets) > 0 {
		all = append(all, piece{"in the timeline", func(r *verdict.Result) { r.Timeline = nil }})
	}
	return all
}

// TestAPassWithoutItsProofIsRefused: of a good report each piece that a pass hangs on is taken away in turn, and the report judged, counted and sealed
// as if it had never been there.
func TestAPassWithoutItsProofIsRefused(t *testing.T) {
	for i, whole := range reporttest.Results(t, "ha") {
		for _, p := range pieces(whole) {
			results := reporttest.Results(t, "ha")
			if lacking := strings.Join(results[i].Unproven(), "\n"); lacking != "" && i > 0 {
				t.Fatalf("%s lacks %s from the start", whole.ID, lacking)
			}
			p.take(&results[i])
			if lacking := strings.Join(results[i].Unproven(), "\n"); !strings.Contains(lacking, p.name) {
				t.Errorf("%s without %s lacks %q", whole.ID, p.name, lacking)
			}
			if whole.ID != "HA-012" { // it has pieces of every kind
				continue
			}
			a, err := audit.Of(t.Context(), written(t, reporttest.Report(t, nil, results...)))
			if err != nil {
				t.Fatal(err)
			}
			told := ""
			for _, f := range a.Findings {
				told += f.String() + "\n"
			}
			if a.Verdict.Exit != verdict.ExitInconclusive || !strings.Contains(told, "results["+whole.ID+"].outcome: states passed") || !strings.Contains(told, p.name) {
				t.Errorf("%s without %s: exit %d, told %q", whole.ID, p.name, a.Verdict.Exit, told)
			}
		}
	}
}

func TestProofsNameWhatThereIs(t *testing.T) {
	all, err := verdict.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	proven := 0
	for _, r := range all {
		p := verdict.ProofOf(r.ID)
		for _, name := range p.Budgets {
			if !slices.ContainsFunc(budget.All(), func(b budget.Budget) bool { return b.Name == name }) {
				t.Errorf("%s: there is no budget %q", r.ID, name)
			}
		}
		if p.Load || len(p.Faults)+len(p.Budgets)+len(p.Evidence) > 0 {
			proven++
		}
		if r.Profile == "ha" && len(p.Faults) == 0 {
			t.Errorf("%s: a pass needs no fault", r.ID)
		}
	}
	if proven != verdict.Proofs() {
		t.Errorf("%d requirements have a proof, and there are %d proofs", proven, verdict.Proofs())
	}
}
