package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// rerunFlags are the flags of plumb rerun: those of plumb check that say what is judged and how.
type rerunFlags struct {
	checkFlags
	failed bool
}

func newRerunCommand() *cobra.Command {
	var f rerunFlags
	c := &cobra.Command{
		Use: "rerun --failed [DIR]", Short: "Run again what did not pass", Args: cobra.MaximumNArgs(1),
		Long: `Runs exactly those requirements of the report in DIR (default: .report) that did not pass: failed, inconclusive, skipped and missing ones.
Target, settings, number of processes and seed are those of the first run unless they are given; one of --kubeconfig, --cluster and --config
replaces the first run's choice of a target altogether.

To run again tells flakes from failures, and mends nothing: each requirement keeps the worse of its outcomes, with every attempt in the report, and
what passed this time is named ("flaky?"). The run is PARTIAL. Its report goes to a folder of its own, DIR-rerun; the first one is not touched.

Exit codes: 1 a requirement failed, in the first run or now; 3 none failed, and not all are conclusive; 0 nothing had to be run again, because all
had passed (no report is written then); 2 a bad flag, or no report of this plumb in DIR; 130 interrupted.`,
		Example: `  plumb check --kubeconfig FILE || plumb rerun --failed
  plumb rerun --failed downloads/report --kubeconfig FILE --report-dir again`,
		RunE: func(c *cobra.Command, args []string) error {
			nothing, err := f.prepare(c.Flags(), filepath.Clean(append(args, ".report")[0]), c.OutOrStdout())
			if err != nil || nothing {
				return err
			}
			return f.run(c.Context(), c.OutOrStdout())
		},
	}
	f.addAll(c.Flags())
	return c
}

func (f *rerunFlags) addAll(fs *pflag.FlagSet) {
	f.addTarget(fs)
	fs.BoolVar(&f.failed, "failed", false, "run again all that did not pass")
	fs.StringVar(&f.dir, "report-dir", "", "where the report goes (default: DIR-rerun)")
}

// prepare takes from the report in dir what is to be run, and how.
func (f *rerunFlags) prepare(fs *pflag.FlagSet, dir string, out io.Writer) (nothing bool, err error) {
	if !f.failed {
		return false, errors.New("rerun: say what is to be run again: --failed, for all that did not pass")
	}
	r, err := report.Read(dir)
	if err != nil {
		return false, err
	}
	if r.Manifest != verdict.Digest() {
		return false, fmt.Errorf("%s/%s: manifest: plumb %s made the report, with another list of requirements than this plumb has; rerun it with the plumb that made it",
			dir, report.Name, r.Environment.Harness.Version)
	}
	for _, result := range r.Results {
		if result.Outcome != verdict.Passed {
			f.earlier = append(f.earlier, result)
		}
	}
	if len(f.earlier) == 0 {
		fmt.Fprintf(out, "Nothing to run again: %s\n", r.Text)
		return true, nil
	}
	if f.dir == "" {
		f.dir = dir + "-rerun"
	}
	if filepath.Clean(f.dir) == dir {
		return false, fmt.Errorf("--report-dir %s holds the report that is run again: it would be lost; name another folder", f.dir)
	}
	if err := inherit(fs, r.Run); err != nil {
		return false, err
	}
	f.profiles = append(f.profiles, r.ProfileNames()...)
	f.given = given(fs)
	f.rerun = &record.Rerun{Folder: dir, Text: r.Text, UID: r.Environment.Target.UID}
	return false, nil
}

// choices of a target: one that is given replaces them all.
var choices = []string{"kubeconfig", "context", "cluster", "config", "name", "component", "image", "registry-image"}

// inherit sets the flags of the first run that are not given. Those that this command does not have said what was run, not on what.
func inherit(fs *pflag.FlagSet, first record.Run) error {
	chosen := fs.Changed("kubeconfig") || fs.Changed("context") || fs.Changed("cluster") || fs.Changed("config")
	for _, given := range append(slices.Clone(first.Flags), fmt.Sprintf("--seed=%d", first.Seed)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(given, "--"), "=")
		flag := fs.Lookup(name)
		if flag == nil || flag.Changed || name == "report-dir" || chosen && slices.Contains(choices, name) {
			continue
		}
		if err := fs.Set(name, value); err != nil {
			return fmt.Errorf("%s, a flag of the first run: %w", given, err)
		}
	}
	return nil
}
