package compare_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/compare"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/reporttest"
)

func TestDifferences(t *testing.T) {
	outcome := func(i int, o verdict.Outcome) func(*record.Report) {
		return func(r *record.Report) { r.Results[i].Outcome, r.Results[i].Message = o, "it says why\nin two lines" }
	}
	used := func(seconds float64) func(*record.Report) {
		return func(r *record.Report) {
			for i := range r.Budgets {
				if r.Budgets[i].Name == "writes back" {
					r.Budgets[i].Used = seconds
				}
			}
		}
	}
	nothing := func(*record.Report) {}
	for name, row := range map[string]struct {
		a, b  func(*record.Report)
		want  []string
		worse bool
	}{
		"none":                 {nothing, nothing, []string{"no difference"}, false},
		"newly failed":         {nothing, outcome(1, verdict.Failed), []string{"passed before, and does not now (1)", "HA-002  passed -> failed", "it says why"}, true},
		"newly inconclusive":   {nothing, outcome(1, verdict.Inconclusive), []string{"HA-002  passed -> inconclusive"}, true},
		"no longer run":        {nothing, outcome(1, verdict.Missing), []string{"HA-002  passed -> missing"}, true},
		"mended":               {outcome(1, verdict.Failed), nothing, []string{"passes now (1)", "HA-002  failed -> passed"}, false},
		"open instead of bad":  {outcome(1, verdict.Failed), outcome(1, verdict.Skipped), []string{"changed (1)", "failed -> skipped"}, false},
		"a new requirement":    {func(r *record.Report) { r.Results = r.Results[1:] }, nothing, []string{"new requirements (1)", "HA-001  - -> passed"}, false},
		"one that is gone":     {nothing, func(r *record.Report) { r.Results = r.Results[1:] }, []string{"requirements that are gone (1)", "HA-001  passed -> -"}, false},
		"a partial run":        {nothing, func(r *record.Report) { r.Results, r.Partial = r.Results[1:], true }, []string{"not compared, because one of the runs was partial: 1 requirements"}, false},
		"a slower budget":      {used(2), used(4), []string{"budgets, seconds used of the limit (1)", "writes back  2.0 of 11 (18%) -> 4.0 of 11 (36%)  HA-001"}, false},
		"a little slower":      {used(4), used(4.5), []string{"no difference"}, false},
		"near to the limit":    {used(9), used(9.5), []string{"writes back  9.0 of 11 (82%) -> 9.5 of 11 (86%)"}, false},
		"a faster budget":      {used(9), used(2), []string{"no difference"}, false},
		"another target":       {nothing, func(r *record.Report) { r.Environment.Target.UID = "u-2" }, []string{"run on and by (1)", "target UID  u-1 -> u-2"}, false},
		"another harness":      {nothing, func(r *record.Report) { r.Environment.Harness.Version = "v1" }, []string{"plumb  v0 -> v1"}, false},
		"other requirements":   {nothing, func(r *record.Report) { r.Manifest = strings.Repeat("0", 64) }, []string{"requirements  ", "-> 0000000000000000000"}, false},
		"another pace":         {nothing, func(r *record.Report) { r.Settings[0].Value = "9s" }, []string{"setting nodeMonitorGracePeriod  50s -> 9s"}, false},
		"another image digest": {image("sha256:1"), image("sha256:2"), []string{"image echo  sha256:1 -> sha256:2"}, false},
		"an image less":        {image("sha256:1"), nothing, []string{"no difference"}, false},
		"more leaders":         {nothing, func(r *record.Report) { r.Leadership.Changes = append(r.Leadership.Changes, r.Leadership.Changes[0]) }, []string{"changes of leaders (1)", "changes  1 -> 2"}, false},
		"nobody looked":        {nothing, func(r *record.Report) { r.Leadership = nil }, []string{"changes      1 -> nobody looked"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := reporttest.Report(t, nil, reporttest.Results(t, "ha")...), reporttest.Report(t, nil, reporttest.Results(t, "ha")...)
			row.a(a)
			row.b(b)
			d := compare.Of(a, b)
			var out bytes.Buffer
			if err := d.Print(&out); err != nil {
				t.Fatal(err)
			}
			for _, want := range row.want {
				if !strings.Contains(out.String(), want) || d.Worse() != row.worse {
					t.Errorf("want %q and worse %t, have %t and\n%s", want, row.worse, d.Worse(), &out)
				}
			}
		})
	}
}

func image(digest string) func(*record.Report) {
	return func(r *record.Report) { r.Images = []verdict.Image{{Name: "echo", Digest: digest}} }
}

func TestFailuresComeBeforeWhatIsOpen(t *testing.T) {
	a, b := reporttest.Report(t, nil, reporttest.Results(t, "ha")...), reporttest.Report(t, nil, reporttest.Results(t, "ha")...)
	b.Results[1].Outcome, b.Results[4].Outcome = verdict.Inconclusive, verdict.Failed
	if d := compare.Of(a, b); len(d.Broken) != 2 || d.Broken[0].B != verdict.Failed {
		t.Errorf("%+v", d.Broken)
	}
}
