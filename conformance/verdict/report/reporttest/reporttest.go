// Package reporttest makes reports as a run makes them, for the tests of what reads reports: audit, compare, merged, plumb's commands.
//
// It owns one small truth - every requirement of a profile passed, each with the proof that it needs, the first of them with a load and a budget
// besides - and no rule. It must not be linked by plumb.
package reporttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// Began is when the runs of these reports began.
var Began = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// Results are passes of all requirements of a profile.
func Results(t testing.TB, profile string) (all []verdict.Result) {
	t.Helper()
	wanted, err := verdict.Of(profile)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range wanted {
		all = append(all, verdict.Result{ID: w.ID, Outcome: verdict.Passed, Began: Began.Add(time.Duration(i) * time.Second), Seconds: 1})
	}
	for i := range all[1:] {
		prove(&all[i+1])
	}
	all[0].Evidence = History(func(*history.History) {})
	all[0].Timeline = &verdict.Timeline{
		Marks: life("kill etcd on one"),
		Lanes: []verdict.Lane{{Client: "a", Calls: []verdict.Call{{At: Began, Took: 0.1, Outcome: "ok"}}}},
		Spent: []verdict.Spent{{Budget: budget.WritesBack.Name, Why: budget.WritesBack.Why, Subject: "writes", From: Began, Limit: budget.WritesBack.Under(budget.Stock()).Seconds(), Took: 4}},
	}
	return all
}

// life is that of a fault, whole.
func life(fault string) (marks []verdict.Mark) {
	for i, kind := range []verdict.Kind{verdict.Injected, verdict.Witnessed, verdict.Healing, verdict.Healed} {
		marks = append(marks, verdict.Mark{At: Began.Add(time.Duration(i+1) * 100 * time.Millisecond), Kind: kind, Subject: fault})
	}
	return marks
}

// prove gives a result what its pass needs.
func prove(r *verdict.Result) {
	p, t := verdict.ProofOf(r.ID), &verdict.Timeline{}
	for _, words := range slices.Sorted(maps.Keys(p.Faults)) {
		for i := range p.Faults[words] {
			t.Marks = append(t.Marks, life(fmt.Sprintf("%s%d", words, i))...)
		}
	}
	for _, b := range budget.All() {
		if slices.Contains(p.Budgets, b.Name) {
			t.Spent = append(t.Spent, verdict.Spent{Budget: b.Name, Why: b.Why, Subject: "it", From: Began, Limit: b.Under(budget.Stock()).Seconds(), Took: 0.5})
		}
	}
	for _, name := range p.Evidence {
		r.Evidence = append(r.Evidence, verdict.Evidence{Name: name, Text: "seen"})
	}
	if p.Load {
		r.Evidence = append(r.Evidence, History(func(*history.History) {})...)
		t.Marks = append(t.Marks, verdict.Mark{At: Began, Kind: verdict.Phase, Subject: "before"})
		t.Lanes = []verdict.Lane{{Client: "a", Calls: []verdict.Call{{At: Began, Took: 0.1, Outcome: "ok"}}}}
	}
	if len(t.Marks)+len(t.Spent) > 0 {
		r.Timeline = t
	}
}

// History is the evidence of a load of two clients, altered. It has a file of its own: it ends with more spaces than a report holds inline.
func History(alter func(*history.History)) []verdict.Evidence {
	ms := time.Millisecond
	h := history.History{
		Calls: []history.Call{
			{Client: "a", Phase: "before", Op: history.Create, Key: "r", Value: "1", Version: 11, Begin: 0, End: 10 * ms, Outcome: history.OK},
			{Client: "b", Phase: "before", Op: history.Get, Key: "r", Value: "1", Version: 11, Begin: 20 * ms, End: 30 * ms, Outcome: history.OK},
			{Client: "b", Phase: "after", Op: history.Put, Key: "r", Value: "2", Version: 12, Begin: 40 * ms, End: 50 * ms, Outcome: history.OK},
		},
		Watches: []history.Watch{{Client: "a", From: 10, Events: []history.Event{{Key: "r", Value: "1", Version: 11}, {Key: "r", Value: "2", Version: 12}}}},
		Final:   map[string]history.Stored{"r": {Value: "2", Version: 12}},
		End:     12,
	}
	alter(&h)
	text, err := json.Marshal(history.Case{History: h, Enough: history.Enough{Acknowledged: map[string]int{"before": 1}}})
	if err != nil {
		panic(err)
	}
	big := make([]byte, 17<<10)
	for i := range big {
		big[i] = ' '
	}
	return []verdict.Evidence{{Name: verdict.History, Text: string(append(text, big...))}, {Name: verdict.Judged, Text: "3 calls"}}
}

// Report is that of a run that found these results: of their profiles, or partial when alter says so before they are judged.
func Report(t testing.TB, alter func(*record.Report), results ...verdict.Result) *record.Report {
	t.Helper()
	r := &record.Report{
		Schema: record.Schema, Manifest: verdict.Digest(), Budgets: record.Limits(), Settings: record.Settings(record.Layer{Source: "upstream's default", Settings: budget.Stock()}),
		Run: record.Run{Began: Began, Ended: Began.Add(time.Minute), Flags: []string{"--profile=ha"}, Seed: 7, Procs: 4},
		Environment: record.Environment{
			Target: record.Target{Name: "https://127.0.0.1:6443", Kubernetes: "v1.37.2", UID: "u-1"}, Nodes: []record.Node{{Name: "one", Role: "control-plane"}},
			Harness: record.Harness{Version: "v0", Go: "go1.26", Platform: "linux/amd64", Cores: 2},
		},
	}
	if alter != nil {
		alter(r)
	}
	var selected []string
	if r.Run.Focus != "" || r.Run.Shard != "" || r.Run.Rerun != nil {
		selected = append([]string{}, r.Run.Selected...)
	}
	wanted, err := verdict.Of("ha")
	if err != nil {
		t.Fatal(err)
	}
	r.Verdict = verdict.Judge(wanted, results, selected, r.Doubts...)
	r.Leadership = &verdict.Leadership{Observed: []string{"etcd"}, Changes: []verdict.LeaderChange{{At: Began, Subject: "etcd", From: "one", To: "two"}}, Unexplained: 1}
	r.Count(wanted)
	return r
}
