package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/conformance/check"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/compare"
)

func newDiffCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "diff A B", Short: "Tell how report B differs from report A", Args: cobra.ExactArgs(2),
		Long: `Compares two reports, such as those of two versions of an orchestrator, or of the nightly run and today's. A and B are folders.

Told, in this order: requirements that passed in A and do not in B, failures first; those that pass now; other changes; requirements
that only one list has; budgets of which a tenth more was used, or that came nearer to a limit of which they use 80% or more; what was
judged and by what, as far as it is not the same (target, nodes, harness, settings, image digests); how often leaders changed.

What a focus, a shard or a rerun left out of one of the reports cannot be compared: it is counted, and is no difference. Reports are believed:
plumb verify tells whether they can be trusted.

Exit codes: 0 whatever passed in A passes in B; 1 something that passed in A did not in B: it failed, was inconclusive, skipped or missing;
2 a bad flag, or no report.`,
		Example: `  plumb diff last-night .report
  plumb diff stock ours --output json | jq '.broken[].id'`,
		RunE: func(c *cobra.Command, args []string) error {
			return diff(args[0], args[1], format, c.OutOrStdout())
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "table", "table or json")
	return c
}

func diff(dirA, dirB, format string, out io.Writer) error {
	if format != "table" && format != "json" {
		return fmt.Errorf("--output %s: must be table or json", format)
	}
	a, err := report.Read(dirA)
	if err != nil {
		return err
	}
	b, err := report.Read(dirB)
	if err != nil {
		return err
	}
	d := compare.Of(a, b)
	if format == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(d)
	} else {
		fmt.Fprintf(out, "A: %s (%s)\nB: %s (%s)\n\n", a.Text, dirA, b.Text, dirB)
		err = d.Print(out)
	}
	if err == nil && d.Worse() {
		err = check.ExitError(verdict.ExitFailed)
	}
	return err
}
