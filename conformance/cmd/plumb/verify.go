package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/conformance/check"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/audit"
)

func newVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "verify [DIR]", Short: "Compute the verdict of a report again from its evidence", Args: cobra.MaximumNArgs(1),
		Long: `Reads the report in DIR (default: .report) and believes nothing in it that can be computed again:

  - report.json keeps to its schema, and every file is as report.sha256 says: none missing, changed or added;
  - each requirement of the profiles that were asked for is there, once, with the sentence of this plumb's manifest;
  - every history of clients that a spec kept is judged again: lost writes, stale reads, watch gaps, linearizability;
  - a pass that broke something has each of its faults witnessed, and the healing witnessed too: else it is inconclusive;
  - a pass overspent no budget, and the limits are those that the target's stated settings give;
  - counts, exit code and sentence are what the results add up to.

It asks no cluster. The digests show that files were changed, cut short or lost; they are no signature, and who writes a whole
false report with false evidence is not found out. A report made by a plumb with another list of requirements is told as such:
only the plumb that made it can verify it.

Each thing that is wrong is one line: the file and the field, what is wrong there, what to do. The last line is the verdict.

Exit codes: 0, 1 or 3 as plumb check ended (conformant, failed, inconclusive), when the report can be trusted;
2 when it cannot: it is truncated, edited, incomplete, of another format, or states what its evidence does not bear out.`,
		Example: `  plumb verify                     # the report of the last plumb check here
  plumb verify downloads/shard-2   # one that CI kept; partial reports and merged ones are verified alike`,
		RunE: func(c *cobra.Command, args []string) error {
			return verify(c.Context(), append(args, ".report")[0], c.OutOrStdout())
		},
	}
}

// verify prints what it found; nothing else is concluded from a report that cannot be trusted.
func verify(ctx context.Context, dir string, out io.Writer) error {
	a, err := audit.Of(ctx, dir)
	if err != nil {
		return err
	}
	for _, f := range a.Findings {
		fmt.Fprintln(os.Stderr, "plumb:", f)
	}
	switch r := a.Report; {
	case a.Foreign:
		fmt.Fprintln(out, "NOT VERIFIED: the report states", r.Text)
	case len(a.Findings) > 0:
		fmt.Fprintf(out, "NOT TRUSTED: the report states %s; its evidence gives %s\n", r.Text, cmp.Or(a.Verdict.Text, "no verdict"))
	default:
		fmt.Fprintf(out, "%s: %s (Kubernetes %s), judged by plumb %s on %s\n", dir, r.Environment.Target.Name, r.Environment.Target.Kubernetes,
			r.Environment.Harness.Version, r.Run.Began.Format("2006-01-02 15:04"))
		fmt.Fprintf(out, "every file is as it was sealed; %d faults witnessed and healed, %d histories judged again, %d budgets kept\n", a.Faults, a.Histories, a.Budgets)
		return conclude(r, out)
	}
	return check.ExitError(verdict.ExitUsage)
}
