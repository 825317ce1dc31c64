package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/reporttest"
)

// firstRun failed two requirements with these flags.
func firstRun(t *testing.T, flags ...string) string {
	results := reporttest.Results(t, "ha")
	results[3].Outcome, results[5].Outcome = verdict.Failed, verdict.Inconclusive
	return reported(t, func(r *record.Report) { r.Run.Flags = flags }, results...)
}

func TestARerunTakesTheFirstRunsFlagsUnlessTheyAreGiven(t *testing.T) {
	for name, row := range map[string]struct {
		first, given, want []string
	}{
		"the same target":    {[]string{"--kubeconfig=one", "--profile=ha", "--report-dir=x", "--procs=2"}, nil, []string{"--failed=true", "--kubeconfig=one", "--procs=2", "--seed=7"}},
		"a shard is no flag": {[]string{"--cluster=one", "--shard=1/2", "--focus=HA"}, nil, []string{"--cluster=one", "--failed=true", "--seed=7"}},
		"another target": {[]string{"--config=one", "--name=one", "--component=etcd=x", "--settings=pace"}, []string{"--kubeconfig=two"},
			[]string{"--failed=true", "--kubeconfig=two", "--seed=7", "--settings=pace"}},
		"another seed": {[]string{"--cluster=one", "--seed=7"}, []string{"--seed=8"}, []string{"--cluster=one", "--failed=true", "--seed=8"}},
		"components":   {[]string{"--config=one", "--component=etcd=x"}, nil, []string{"--component=etcd=x", "--config=one", "--failed=true", "--seed=7"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := firstRun(t, row.first...)
			var f rerunFlags
			fs := pflag.NewFlagSet("rerun", pflag.ContinueOnError)
			f.addAll(fs)
			if err := fs.Parse(append([]string{"--failed"}, row.given...)); err != nil {
				t.Fatal(err)
			}
			nothing, err := f.prepare(fs, dir, t.Output())
			if err != nil || nothing || !slices.Equal(f.given, row.want) {
				t.Errorf("%v, %t, %v, want %v", err, nothing, f.given, row.want)
			}
			if len(f.earlier) != 2 || f.earlier[0].ID != "HA-004" || f.dir != dir+"-rerun" || !slices.Equal(f.profiles, []string{"ha"}) || f.rerun.UID != "u-1" {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestRerunRefusesWhatItCannotDo(t *testing.T) {
	bad := firstRun(t, "--kubeconfig=none")
	foreign := reported(t, func(r *record.Report) { r.Manifest = strings.Repeat("0", 64) }, reporttest.Results(t, "ha")[1:]...)
	good := reported(t, nil, reporttest.Results(t, "ha")...)
	for name, row := range map[string]struct {
		args         []string
		code         int
		out, problem string
	}{
		"not said what":      {[]string{bad}, verdict.ExitUsage, "", "say what is to be run again: --failed"},
		"into the first one": {[]string{"--failed", bad, "--report-dir", bad + "/"}, verdict.ExitUsage, "", "holds the report that is run again: it would be lost"},
		"no report":          {[]string{"--failed", t.TempDir()}, verdict.ExitUsage, "", "holds no report"},
		"another manifest":   {[]string{"--failed", foreign}, verdict.ExitUsage, "", "with another list of requirements than this plumb has"},
		"nothing failed":     {[]string{"--failed", good}, verdict.ExitConformant, "Nothing to run again: CONFORMANT", ""},
		"no target any more": {[]string{"--failed", bad, "--report-dir", filepath.Join(t.TempDir(), "x")}, verdict.ExitInconclusive, "", "--kubeconfig: stat none"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, problem := ran(t, append([]string{"rerun"}, row.args...)...)
			if code != row.code || !strings.Contains(out, row.out) || !strings.Contains(problem, row.problem) || strings.Count(problem, "\n") > 1 {
				t.Errorf("exit %d, want %d\n%s%s", code, row.code, out, problem)
			}
		})
	}
}
