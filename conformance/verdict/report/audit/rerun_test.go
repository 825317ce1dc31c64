package audit_test

import (
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/audit"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/reporttest"
)

// TestReruns: HA-001 had failed, and passed when it ran again. Each row alters that before it is written.
func TestReruns(t *testing.T) {
	for name, row := range map[string]struct {
		alter func(*record.Report)
		want  string
	}{
		"as it was": {func(*record.Report) {}, ""},
		"a failure made a pass": {func(r *record.Report) {
			r.Results[0].Outcome = verdict.Passed
		}, "results[HA-001].outcome: states passed, and its worst attempt is failed"},
		"attempts taken away": {func(r *record.Report) { r.Results[0].Attempts = nil }, "results[HA-001].attempts: are those of a rerun"},
		"no rerun at all":     {func(r *record.Report) { r.Run.Rerun = nil }, "partial: is true, and the run had focus"},
		"a bad history behind the last attempt": {func(r *record.Report) {
			r.Results[0].Evidence = reporttest.History(func(h *history.History) { clear(h.Final) })
		}, "results[HA-001].outcome: states passed, and its evidence makes it failed"},
	} {
		t.Run(name, func(t *testing.T) {
			now := reporttest.Results(t, "ha")[0]
			again := verdict.Again(verdict.Result{ID: now.ID, Outcome: verdict.Failed, Message: "then"}, now)
			r := reporttest.Report(t, func(r *record.Report) {
				r.Run.Rerun, r.Run.Selected = &record.Rerun{Folder: ".report", Text: "NOT CONFORMANT", UID: "u-1"}, []string{now.ID}
			}, again)
			row.alter(r)
			a, err := audit.Of(t.Context(), written(t, r))
			if err != nil {
				t.Fatal(err)
			}
			told := ""
			for _, f := range a.Findings {
				told += f.String() + "\n"
			}
			if (row.want == "") != (told == "") || !strings.Contains(told, row.want) {
				t.Errorf("want %q, told\n%s", row.want, told)
			}
			if row.want == "" && (a.Verdict.Exit != verdict.ExitFailed || a.Verdict.Text != "PARTIAL: 0 of 24 requirements passed") {
				t.Errorf("exit %d, %q", a.Verdict.Exit, a.Verdict.Text)
			}
		})
	}
}
