package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/reporttest"
)

// reported is the folder of a report of these results.
func reported(t *testing.T, alter func(*record.Report), results ...verdict.Result) string {
	t.Helper()
	dir := t.TempDir()
	if err := report.Write(dir, reporttest.Report(t, alter, results...)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestVerifyEndsAsTheReportWhenThatCanBeTrusted(t *testing.T) {
	failed := func() []verdict.Result {
		all := reporttest.Results(t, "ha")
		all[3].Outcome, all[3].Message = verdict.Failed, "it broke"
		return all
	}
	for name, row := range map[string]struct {
		results []verdict.Result
		alter   func(*testing.T, string)
		code    int
		last    string
		problem string
	}{
		"all passed":   {reporttest.Results(t, "ha"), nil, verdict.ExitConformant, "CONFORMANT: 24 of 24 requirements passed", ""},
		"one failed":   {failed(), nil, verdict.ExitFailed, "NOT CONFORMANT: 23 of 24 requirements passed", ""},
		"one is lost":  {reporttest.Results(t, "ha")[1:], nil, verdict.ExitInconclusive, "INCONCLUSIVE: 23 of 24 requirements passed", ""},
		"a lost file":  {failed(), without("junit.xml"), verdict.ExitUsage, "NOT TRUSTED: the report states NOT CONFORMANT: 23 of 24 requirements passed; its evidence gives NOT CONFORMANT", "junit.xml: is missing; copy"},
		"a truncated":  {failed(), cut, verdict.ExitUsage, "", "report.json is truncated: it ends in the middle"},
		"no report":    {failed(), without("report.json"), verdict.ExitUsage, "", "holds no report: there is no report.json; name the --report-dir of a run"},
		"a wrong pass": {unhealed(t), nil, verdict.ExitUsage, "its evidence gives INCONCLUSIVE: 23 of 24", "results[HA-001].outcome: states passed, and its evidence makes it inconclusive"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := reported(t, nil, row.results...)
			if row.alter != nil {
				row.alter(t, dir)
			}
			code, out, problem := ran(t, "verify", dir)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			if last := lines[len(lines)-1]; code != row.code || !strings.Contains(last, row.last) {
				t.Errorf("exit %d, want %d; the last line is %q, want %q", code, row.code, last, row.last)
			}
			if !strings.Contains(problem, row.problem) || (problem == "") != (row.problem == "") || strings.Count(problem, "\n") > 1 {
				t.Errorf("want one line with %q, have\n%s", row.problem, problem)
			}
		})
	}
}

// CI shows the end of an output only: it must say what went wrong, not just where.
func TestTheEndSaysWhyAndIsShort(t *testing.T) {
	all := reporttest.Results(t, "ha")
	all[3].Outcome, all[3].Message = verdict.Failed, "it broke\n\n"+strings.Repeat("x", 10_000)+"\n"+strings.Repeat("more\n", 100)
	_, out, _ := ran(t, "verify", reported(t, nil, all...))
	if !strings.Contains(out, "HA-004") || !strings.Contains(out, "\n      it broke\n      xxx") || !strings.Contains(out, "\n      ...\n") || len(out) > 2000 {
		t.Errorf("want the message's beginning, have %d bytes:\n%.3000s", len(out), out)
	}
}

func without(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func cut(t *testing.T, dir string) {
	if err := os.Truncate(filepath.Join(dir, "report.json"), 1000); err != nil {
		t.Fatal(err)
	}
}

func unhealed(t *testing.T) []verdict.Result {
	all := reporttest.Results(t, "ha")
	all[0].Timeline.Marks = all[0].Timeline.Marks[:3]
	return all
}
