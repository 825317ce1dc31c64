package report

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

func judged() verdict.Verdict {
	return verdict.Judge([]verdict.Requirement{{ID: "A-1", Profile: "a", Text: "One <thing>."}, {ID: "A-2", Profile: "a", Text: "Two."}, {ID: "A-3", Profile: "a", Text: "Three."}}, []verdict.Result{
		{ID: "A-1", Outcome: verdict.Passed, Seconds: 1.5},
		{ID: "A-2", Outcome: verdict.Failed, Message: "a line with \x1b[31mcolour\x1b[0m & \"quotes\"", Evidence: []verdict.Evidence{{Name: verdict.Events, Text: "Warning"}}},
	}, false)
}

func TestReportsCanBeReadAndSayTheSame(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, judged(), 2*time.Second); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v verdict.Verdict
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if v.Exit != verdict.ExitFailed || len(v.Results) != 3 || v.Results[1].Evidence[0].Text != "Warning" || v.Results[2].Outcome != verdict.Missing {
		t.Errorf("report.json: %+v", v)
	}
	if data, err = os.ReadFile(filepath.Join(dir, "junit.xml")); err != nil {
		t.Fatal(err)
	}
	var s suite
	if err := xml.Unmarshal(data, &s); err != nil {
		t.Fatalf("junit.xml is no XML: %v", err)
	}
	if s.Tests != 3 || s.Failures != 1 || s.Errors != 1 || len(s.Cases) != 3 {
		t.Fatalf("junit.xml counts %d tests, %d failures, %d errors, %d cases", s.Tests, s.Failures, s.Errors, len(s.Cases))
	}
	if s.Cases[0].Name != "A-1 One <thing>." || s.Cases[0].Time != 1.5 || s.Cases[0].Failure != nil || s.Cases[1].Failure == nil || s.Cases[2].Error == nil {
		t.Errorf("junit.xml: %+v", s.Cases)
	}
}
