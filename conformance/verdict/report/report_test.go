package report

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

var began = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// sample has a pass with a fault, a failure with evidence small and big, and a requirement that did not run.
func sample() *record.Report {
	wanted := []verdict.Requirement{{ID: "HA-001", Profile: "ha", Text: "One <thing>."}, {ID: "HA-002", Profile: "ha", Text: "Two."}, {ID: "API-003", Profile: "api", Text: "Three."}}
	r := &record.Report{
		Schema: record.Schema, Manifest: strings.Repeat("0", 64), Budgets: record.Limits(), Settings: []record.Setting{{Name: "leaseDuration", Value: "15s", Source: "upstream's default"}},
		Run: record.Run{Began: began, Ended: began.Add(2 * time.Second), Flags: []string{"--profile=ha"}, Seed: 7, Procs: 4},
		Environment: record.Environment{
			Target: record.Target{Name: "https://127.0.0.1:6443", Kubernetes: "v1.37.2", UID: "u-1"}, Nodes: []record.Node{{Name: "one", Role: "control-plane"}},
			Harness: record.Harness{Version: "v0", Go: "go1.26", Platform: "linux/amd64", Cores: 2},
		},
	}
	r.Verdict = verdict.Judge(wanted, []verdict.Result{
		{ID: "HA-001", Outcome: verdict.Passed, Began: began, Seconds: 1.5, Images: []verdict.Image{{Name: "docker.io/plumb/echo:v1", Digest: "sha256:12"}}, Timeline: &verdict.Timeline{
			Marks: []verdict.Mark{{At: began, Kind: verdict.Injected, Subject: "kill etcd"}, {At: began, Kind: verdict.Witnessed, Subject: "kill etcd", Text: "gone"}},
			Lanes: []verdict.Lane{{Client: "balancer", Calls: []verdict.Call{{At: began, Took: 0.1, Outcome: "ok"}}}},
			Spent: []verdict.Spent{{Budget: "failover", Why: "so", Subject: "writes", From: began, Limit: 10, Took: 4}},
		}},
		{ID: "HA-002", Outcome: verdict.Failed, Message: "a line with \x1b[31mcolour\x1b[0m & \"quotes\"", Evidence: []verdict.Evidence{
			{Name: verdict.Events, Text: "Warning"}, {Name: "history", Text: `{"calls":"` + strings.Repeat("x", big) + `"}`}, {Name: "pods", Text: strings.Repeat("apiVersion: v1\n", big)},
		}},
	}, nil)
	r.Count(wanted)
	return r
}

func written(t *testing.T) (string, *record.Report) {
	t.Helper()
	dir := t.TempDir()
	if err := Clear(dir); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, sample()); err != nil {
		t.Fatal(err)
	}
	r, data, err := ReadBytes(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := Validate(data); err != nil {
		t.Errorf("report.json is not what schema.json describes: %v", err)
	}
	return dir, r
}

func TestReportsCanBeReadAndSayTheSame(t *testing.T) {
	dir, r := written(t)
	if r.Exit != verdict.ExitFailed || len(r.Results) != 3 || r.Results[2].Evidence[0].Text != "Warning" || r.Results[0].Outcome != verdict.Missing {
		t.Errorf("report.json: %+v", r)
	}
	if len(r.Profiles) != 2 || r.Profiles[0].Counts[verdict.Failed] != 1 || len(r.Images) != 1 {
		t.Errorf("counted: %+v, %v", r.Profiles, r.Images)
	}
	for _, b := range r.Budgets {
		if b.Name == "failover" && (b.Used != 4 || b.By != "HA-001") {
			t.Errorf("failover: %+v", b)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, junitName))
	if err != nil {
		t.Fatal(err)
	}
	var s suite
	if err := xml.Unmarshal(data, &s); err != nil {
		t.Fatalf("junit.xml is no XML: %v", err)
	}
	if s.Tests != 3 || s.Failures != 1 || s.Errors != 1 || len(s.Cases) != 3 {
		t.Fatalf("junit.xml counts %d tests, %d failures, %d errors, %d cases", s.Tests, s.Failures, s.Errors, len(s.Cases))
	}
	if c := s.Cases[1]; c.Name != "HA-001 One <thing>." || c.Time != 1.5 || c.Failure != nil || s.Cases[2].Failure == nil || s.Cases[0].Error == nil || c.Of.All[0].Value != "HA-001" || c.Of.All[1].Value != "ha" {
		t.Errorf("junit.xml: %+v", s.Cases)
	}
}

func TestPageLeadsToTheEvidenceInFiles(t *testing.T) {
	dir, r := written(t)
	text, err := os.ReadFile(filepath.Join(dir, pageName))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{r.Results[2].Evidence[1].File, r.Results[2].Evidence[2].SHA256, "apiVersion: v1"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not tell %q", pageName, want)
		}
	}
}

func TestBigEvidenceHasItsOwnFile(t *testing.T) {
	dir, r := written(t)
	for i, want := range map[int]string{1: "evidence/HA-002-history.json.gz", 2: "evidence/HA-002-pods.txt.gz"} {
		e := r.Results[2].Evidence[i]
		text, err := Open(dir, e)
		if err != nil || e.File != want || e.Text != "" || len(text) <= big {
			t.Errorf("%d bytes, %v of %+v, want %s", len(text), err, e, want)
		}
	}
}

func TestSchemaRefusesWhatNoReportSays(t *testing.T) {
	for name, alter := range map[string]func(map[string]any){
		"an unknown field":         func(r map[string]any) { r["colour"] = "red" },
		"a verdict without a word": func(r map[string]any) { delete(r, "text") },
		"an outcome of its own":    func(r map[string]any) { r["results"].([]any)[0].(map[string]any)["outcome"] = "fine" },
		"a time that is none":      func(r map[string]any) { r["run"].(map[string]any)["began"] = "yesterday" },
	} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(sample())
			if err != nil {
				t.Fatal(err)
			}
			var r map[string]any
			if err := json.Unmarshal(data, &r); err != nil {
				t.Fatal(err)
			}
			alter(r)
			if data, err = json.Marshal(r); err != nil {
				t.Fatal(err)
			}
			if err := Validate(data); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line", err)
			}
		})
	}
}

func TestBrokenSeals(t *testing.T) {
	edit := func(name, old, new string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(string(data), old, new, 1)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, row := range map[string]struct {
		alter func(*testing.T, string)
		want  string
	}{
		"untouched":                {func(*testing.T, string) {}, ""},
		"an edited report":         {edit(Name, `"failed"`, `"passed"`), "report.json was edited or cut short after the run"},
		"an edited page":           {edit(pageName, "failed", "passed"), "report.html was edited or cut short after the run"},
		"an edited junit.xml":      {edit(junitName, "failed", "passed"), "junit.xml was edited or cut short after the run"},
		"missing evidence":         {remove("evidence/HA-002-history.json.gz"), "evidence/HA-002-history.json.gz is missing"},
		"a missing seal":           {remove(sealName), "report.sha256 cannot be read"},
		"a seal of something else": {edit(sealName, "report.json", "report.xml"), "does not speak of report.json"},
		"a seal that leads out":    {edit(sealName, "evidence/HA", "../HA"), "is no digest and path"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := written(t)
			row.alter(t, dir)
			got := ""
			for _, flaw := range Broken(dir) {
				got += flaw.String() + "\n"
			}
			if (row.want == "") != (got == "") || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestTheSealIsOneOfSha256sum(t *testing.T) {
	if _, err := exec.LookPath("sha256sum"); err != nil {
		t.Skip("sha256sum is not on the PATH")
	}
	dir, _ := written(t)
	check := exec.Command("sha256sum", "--quiet", "--check", sealName)
	check.Dir = dir
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestReadTellsWhatIsNoReport(t *testing.T) {
	whole, err := json.Marshal(sample())
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ text, want string }{
		"truncated": {string(whole[:len(whole)/2]), "is truncated: it ends in the middle"},
		"empty":     {"", "is truncated: it ends in the middle, after 0 bytes"},
		"no JSON":   {"<html>", "is no JSON"},
		"another":   {`{"schema": "plumb.report/9"}`, `is of schema "plumb.report/9", and this plumb reads "plumb.report/1"`},
		"older":     {`{"text": "CONFORMANT"}`, `is of schema ""`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, Name), []byte(row.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "holds no report") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestClearTakesAwayAnEarlierReportAndNothingElse(t *testing.T) {
	dir, _ := written(t)
	own := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(own, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Clear(dir); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if path != own && path != filepath.Join(dir, evidenceFolder) {
			t.Errorf("%s is left", path)
		}
	}
	if _, err := os.Stat(own); err != nil {
		t.Error(err)
	}
}
