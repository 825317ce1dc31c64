package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/reporttest"
)

func TestMergeMakesOneVerdict(t *testing.T) {
	all := reporttest.Results(t, "ha")
	half := func(shard string, results ...verdict.Result) string {
		return reported(t, func(r *record.Report) {
			r.Run.Shard = shard
			for _, result := range results {
				r.Run.Selected = append(r.Run.Selected, result.ID)
			}
		}, results...)
	}
	one, two := half("1/2", all[:9]...), half("2/2", all[9:]...)
	for name, row := range map[string]struct {
		dirs          []string
		code          int
		want, problem string
	}{
		"both":    {[]string{one, two}, verdict.ExitConformant, "\nCONFORMANT: 24 of 24 requirements passed\n", ""},
		"one":     {[]string{one}, verdict.ExitInconclusive, "not given: shard 2/2", ""},
		"twice":   {[]string{one, one}, verdict.ExitUsage, "", "are both shard 1/2; give each shard once"},
		"nothing": {[]string{t.TempDir()}, verdict.ExitUsage, "", "holds no report"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir() + "/out"
			code, out, problem := ran(t, append([]string{"merge", "--report-dir", dir}, row.dirs...)...)
			if code != row.code || !strings.Contains(out, row.want) || !strings.Contains(problem, row.problem) {
				t.Errorf("exit %d, want %d\n%s%s", code, row.code, out, problem)
			}
			if row.problem == "" {
				if again, _, problem := ran(t, "verify", dir); again != row.code {
					t.Errorf("verify ends with %d: %s", again, problem)
				}
			}
		})
	}
}

func TestDiffTellsWhatNoLongerPasses(t *testing.T) {
	failed := reporttest.Results(t, "ha")
	failed[3].Outcome = verdict.Failed
	good, bad := reported(t, nil, reporttest.Results(t, "ha")...), reported(t, nil, failed...)
	for name, row := range map[string]struct {
		args []string
		code int
		want string
	}{
		"worse":  {[]string{good, bad}, verdict.ExitFailed, "passed before, and does not now (1)\n  HA-004  passed -> failed"},
		"better": {[]string{bad, good}, verdict.ExitConformant, "passes now (1)\n  HA-004  failed -> passed"},
		"same":   {[]string{good, good}, verdict.ExitConformant, "no difference"},
		"a typo": {[]string{good, good, "--output", "yaml"}, verdict.ExitUsage, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if code, out, problem := ran(t, append([]string{"diff"}, row.args...)...); code != row.code || !strings.Contains(out, row.want) {
				t.Errorf("exit %d, want %d and %q\n%s%s", code, row.code, row.want, out, problem)
			}
		})
	}
	var told struct{ Broken []struct{ ID string } }
	if code, out, _ := ran(t, "diff", good, bad, "--output", "json"); code != verdict.ExitFailed || json.Unmarshal([]byte(out), &told) != nil || len(told.Broken) != 1 || told.Broken[0].ID != "HA-004" {
		t.Errorf("exit %d, %s", code, out)
	}
}
