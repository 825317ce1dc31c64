package audit_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/audit"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/reporttest"
)

// written writes a report to a new folder and returns it.
func written(t *testing.T, r *record.Report) string {
	t.Helper()
	dir := t.TempDir()
	if err := report.Clear(dir); err != nil {
		t.Fatal(err)
	}
	if err := report.Write(dir, r); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAnHonestReportIsTrusted(t *testing.T) {
	for name, row := range map[string]struct {
		alter func([]verdict.Result) []verdict.Result
		exit  int
	}{
		"all passed": {func(r []verdict.Result) []verdict.Result { return r }, verdict.ExitConformant},
		"one failed": {func(r []verdict.Result) []verdict.Result { r[0].Outcome = verdict.Failed; return r }, verdict.ExitFailed},
		"one lost":   {func(r []verdict.Result) []verdict.Result { return r[1:] }, verdict.ExitInconclusive},
		"a fault that was not witnessed is inconclusive": {func(r []verdict.Result) []verdict.Result {
			r[0].Outcome, r[0].Timeline.Marks = verdict.Inconclusive, r[0].Timeline.Marks[:1]
			return r
		}, verdict.ExitInconclusive},
		"a bad history has failed": {func(r []verdict.Result) []verdict.Result {
			r[0].Outcome, r[0].Evidence = verdict.Failed, reporttest.History(func(h *history.History) { h.Calls[1].Value = "stale" })
			return r
		}, verdict.ExitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			r := reporttest.Report(t, nil, row.alter(reporttest.Results(t, "ha"))...)
			a, err := audit.Of(t.Context(), written(t, r))
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Findings) > 0 || a.Verdict.Exit != row.exit || a.Verdict.Text != r.Text {
				t.Errorf("exit %d, want %d, %q, findings %v", a.Verdict.Exit, row.exit, a.Verdict.Text, a.Findings)
			}
		})
	}
}

func TestAPartialReportIsTrusted(t *testing.T) {
	results := reporttest.Results(t, "ha")[:2]
	r := reporttest.Report(t, func(r *record.Report) {
		r.Run.Shard, r.Run.Selected = "1/9", []string{results[0].ID, results[1].ID}
	}, results...)
	a, err := audit.Of(t.Context(), written(t, r))
	if err != nil || len(a.Findings) > 0 || a.Verdict.Exit != verdict.ExitConformant || !strings.HasPrefix(a.Verdict.Text, "PARTIAL") {
		t.Errorf("%v, %+v", err, a)
	}
}

// TestLiesAreFound: each row alters what the run found before the report is written and sealed, so that only its evidence can give the lie away.
func TestLiesAreFound(t *testing.T) {
	first := func(alter func(*verdict.Result)) func(*record.Report) {
		return func(r *record.Report) { alter(&r.Results[0]) }
	}
	mark := func(drop verdict.Kind) func(*record.Report) {
		return first(func(r *verdict.Result) {
			var left []verdict.Mark
			for _, m := range r.Timeline.Marks {
				if m.Kind != drop {
					left = append(left, m)
				}
			}
			r.Timeline.Marks = left
		})
	}
	bad := func(alter func(*history.History)) func(*record.Report) {
		return first(func(r *verdict.Result) { r.Evidence = reporttest.History(alter) })
	}
	for name, row := range map[string]struct {
		alter func(*record.Report)
		want  string
		exit  int
	}{
		"an edited outcome": {first(func(r *verdict.Result) { r.Outcome = verdict.Failed }),
			"report.json: counts: states 24 passed, and the results make it 1 failed, 23 passed", verdict.ExitFailed},
		"an edited exit code": {func(r *record.Report) { r.Exit = 3 }, "report.json: exit: states 3, and the results make it 0", 0},
		"an edited sentence": {func(r *record.Report) { r.Text = "CONFORMANT" },
			`report.json: text: states "CONFORMANT", and the results make it "CONFORMANT: 24 of 24 requirements passed"`, 0},
		"edited counts of a profile": {func(r *record.Report) { r.Profiles[0].Requirements = 3 },
			"report.json: profiles: states ha (of 3: 24 passed), and the results make it ha (of 24: 24 passed)", 0},
		"a history that is not linearizable behind a pass": {bad(func(h *history.History) { h.Calls[1].Value = "stale" }),
			"outcome: states passed, and its evidence makes it failed: evidence/HA-001-history.json.gz: r: no order of its 3 calls explains what was read", verdict.ExitFailed},
		"a lost write behind a pass":          {bad(func(h *history.History) { clear(h.Final) }), "acknowledged by a at version 11 and not stored", verdict.ExitFailed},
		"too small a load behind a pass":      {bad(func(h *history.History) { h.Calls[0].Phase = "early" }), "only 0 of 1 writes were acknowledged", verdict.ExitInconclusive},
		"a history without calls":             {bad(func(h *history.History) { *h = history.History{} }), "holds no call of a client", verdict.ExitInconclusive},
		"a history that was taken away":       {first(func(r *verdict.Result) { r.Evidence = r.Evidence[1:] }), "the history that was judged is not there", verdict.ExitInconclusive},
		"an unwitnessed fault behind a pass":  {mark(verdict.Witnessed), `it inconclusive: the fault "kill etcd on one" was never witnessed`, verdict.ExitInconclusive},
		"an unhealed fault behind a pass":     {mark(verdict.Healed), `it inconclusive: nobody witnessed that the fault "kill etcd on one" healed`, verdict.ExitInconclusive},
		"a fault without beginning":           {mark(verdict.Injected), `the fault "kill etcd on one" is witnessed, and it was not injected before`, verdict.ExitInconclusive},
		"a budget overspent behind a pass":    {overspent, `it failed: writes took 99.0 s, and the budget "writes back" is 11 s`, verdict.ExitFailed},
		"a limit that was raised":             {raised, `the budget "writes back" for writes: is 99 s, and under the report's settings this plumb grants 11 s`, verdict.ExitInconclusive},
		"a budget's use that was edited":      {func(r *record.Report) { use(r).Used = 1 }, "report.json: budgets: states what was used of them", 0},
		"a budget's limit that was edited":    {func(r *record.Report) { use(r).Limit = 99 }, "budgets[writes back].limit: is 99 s, and under the report's settings this plumb grants 11 s", 0},
		"a requirement that was left out":     {func(r *record.Report) { r.Results = r.Results[1:] }, "report.json: results: HA-001 must be there and is not", verdict.ExitInconclusive},
		"a requirement that is there twice":   {func(r *record.Report) { r.Results = append(r.Results, r.Results[0]) }, "results[HA-001]: it is there twice", 0},
		"a requirement of another profile":    {first(func(r *verdict.Result) { r.Profile = "api" }), "results[HA-001]: its profile or sentence is not that of the manifest", 0},
		"a requirement that there is not":     {first(func(r *verdict.Result) { r.ID = "HA-999" }), "results[HA-999]: it is none of the requirements", verdict.ExitInconclusive},
		"a profile that there is not":         {func(r *record.Report) { r.Profiles[0].Name = "all" }, "report.json: profiles: --profile all: there is no such profile", 0},
		"a focus behind a whole verdict":      {func(r *record.Report) { r.Run.Focus = "HA-001" }, `partial: is false, and the run had focus "HA-001"`, 0},
		"a cluster that nobody knows":         {func(r *record.Report) { r.Environment.Target.UID = "" }, "environment.target.uid: is empty", 0},
		"changes of leaders explained away":   {func(r *record.Report) { r.Leadership.Unexplained = 0 }, "leadership.unexplained: states 0, and 1 changes have no cause", 0},
		"a setting that there is not":         {func(r *record.Report) { r.Settings[0].Name = "hurry" }, "report.json: settings: hurry: no such setting", 0},
		"a manifest of another plumb version": {func(r *record.Report) { r.Manifest = strings.Repeat("0", 64) }, "manifest: plumb v0 made the report, with another list of requirements than this plumb has; verify it with the plumb that made it", 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := reporttest.Report(t, nil, reporttest.Results(t, "ha")...)
			row.alter(r)
			a, err := audit.Of(t.Context(), written(t, r))
			if err != nil {
				t.Fatal(err)
			}
			told := ""
			for _, f := range a.Findings {
				told += f.String() + "\n"
			}
			if !strings.Contains(told, row.want) || a.Verdict.Exit != row.exit {
				t.Errorf("exit %d, want %d and %q, told\n%s", a.Verdict.Exit, row.exit, row.want, told)
			}
		})
	}
}

func overspent(r *record.Report) {
	r.Results[0].Timeline.Spent[0].Took = 99
	use(r).Used = 99
}

func raised(r *record.Report) {
	r.Results[0].Timeline.Spent[0].Limit = 99
}

// use is the entry of the budget that the first result spent.
func use(r *record.Report) *record.Budget {
	for i, b := range r.Budgets {
		if b.Name == budget.WritesBack.Name {
			return &r.Budgets[i]
		}
	}
	return nil
}

// TestFilesThatAreNotAsTheyWere: each row alters the folder after it was sealed. There is one finding, of one line.
func TestFilesThatAreNotAsTheyWere(t *testing.T) {
	const kept = "evidence/HA-001-history.json.gz"
	put := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	edit := func(name, old, new string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || !strings.Contains(string(data), old) {
				t.Fatalf("%v, or no %q in %s", err, old, name)
			}
			put(name, strings.Replace(string(data), old, new, 1))(t, dir)
		}
	}
	for name, row := range map[string]struct {
		alter func(*testing.T, string)
		want  string
	}{
		"an edited outcome": {edit("report.json", `"outcome": "passed"`, `"outcome": "failed"`),
			"report.json: counts: states 24 passed, and the results make it 1 failed, 23 passed: the file was edited or cut short after the run"},
		"an edit that changes nothing":   {edit("report.json", `"v1.37.2"`, `"v1.37.3"`), "report.json: was edited or cut short after the run: its SHA-256 is"},
		"a removed evidence file":        {func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, kept)) }, kept + ": is missing; copy the folder again"},
		"an edited evidence file":        {put(kept, "x"), kept + ": was edited or cut short after the run"},
		"an added evidence file":         {put("evidence/HA-002-history.json.gz", "x"), "evidence/HA-002-history.json.gz: is no part of the report: it was added after the run"},
		"an added log":                   {put("shard-9.log", "x"), "shard-9.log: is no part of the report"},
		"an edited junit.xml":            {edit("junit.xml", `failures="0"`, `failures="1"`), "junit.xml: was edited or cut short after the run"},
		"no seal":                        {func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "report.sha256")) }, "report.sha256: cannot be read"},
		"a note of its owner is nothing": {put("notes.txt", "x"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := written(t, reporttest.Report(t, nil, reporttest.Results(t, "ha")...))
			row.alter(t, dir)
			a, err := audit.Of(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if row.want == "" && len(a.Findings) == 0 {
				return
			}
			if len(a.Findings) != 1 || !strings.Contains(a.Findings[0].String(), row.want) || strings.Contains(a.Findings[0].String(), "\n") {
				t.Errorf("want one line with %q, have %v", row.want, a.Findings)
			}
		})
	}
}

func TestWhatIsNoReportIsOneLine(t *testing.T) {
	whole, err := json.Marshal(reporttest.Report(t, nil, reporttest.Results(t, "ha")...))
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ text, want string }{
		"truncated":              {string(whole[:len(whole)/2]), "is truncated: it ends in the middle"},
		"an unknown field":       {strings.Replace(string(whole), `{`, `{"colour":"red",`, 1), "additional properties 'colour' not allowed; copy the folder again"},
		"a word for a number":    {strings.Replace(string(whole), `"exit":0`, `"exit":"none"`, 1), "at '/exit': value must be one of 0, 1, 3; copy the folder again"},
		"another schema version": {strings.Replace(string(whole), record.Schema, "plumb.report/9", 1), `is of schema "plumb.report/9", and this plumb reads "plumb.report/1"; read it with the plumb that made it`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, report.Name), []byte(row.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := audit.Of(t.Context(), dir); err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, row.want)
			}
		})
	}
}

// Faults that were injected again and again are followed one by one.
func TestEachInjectionNeedsItsWitnesses(t *testing.T) {
	for name, row := range map[string]struct{ marks, want string }{
		"twice, and witnessed twice":  {"injected witnessed healing healed injected witnessed healing healed", ""},
		"healed at the second try":    {"injected witnessed healing healing healed", ""},
		"twice, and witnessed once":   {"injected witnessed healing healed injected healing healed", "was never witnessed"},
		"again before it had healed":  {"injected witnessed injected witnessed healing healed", "nobody witnessed that"},
		"phases and leaders are none": {"phase leader", ""},
	} {
		t.Run(name, func(t *testing.T) {
			results := reporttest.Results(t, "ha")
			for _, kind := range strings.Fields(row.marks) {
				results[0].Timeline.Marks = append(results[0].Timeline.Marks, verdict.Mark{At: time.Now(), Kind: verdict.Kind(kind), Subject: "kill it"})
			}
			a, err := audit.Of(t.Context(), written(t, reporttest.Report(t, nil, results...)))
			if err != nil {
				t.Fatal(err)
			}
			if (row.want == "") != (len(a.Findings) == 0) || row.want != "" && !strings.Contains(a.Findings[0].String(), row.want) {
				t.Errorf("want %q, have %v", row.want, a.Findings)
			}
		})
	}
}
