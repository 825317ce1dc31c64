package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/conformance/verdict/report/merged"
)

func newMergeCommand() *cobra.Command {
	var m merged.Merge
	c := &cobra.Command{
		Use: "merge DIR... --report-dir OUT", Short: "Make one report and one verdict of the shards of a run", Args: cobra.MinimumNArgs(1),
		Long: `Takes the reports of plumb check --shard 1/n to n/n, in any order, and writes one into --report-dir: report.json, junit.xml, the evidence of
all, and each shard's logs in a folder of its own. The verdict is computed as for one run, and plumb verify takes the merged report like any other.

The shards must be of one run: one n, the same profiles, focus and settings, and one cluster (by the UID of its namespace kube-system).
Where each job of a CI matrix boots a cluster of its own, --same-shape asks for the same version of Kubernetes and as many nodes of each role
instead. Each report is verified first; one that cannot be trusted is refused. No shard's folder is changed.

Nothing that is missing is passed: a shard that is not given, or a requirement that no shard had, makes the verdict inconclusive, and is
named. One requirement in several shards is named too; when they contradict each other, failed outranks inconclusive, and that passed.

Exit codes: 0 every requirement of every requested profile passed; 1 one failed; 3 inconclusive, such as a shard missing;
2 the reports cannot be merged (a shard twice, another cluster, an edited report): then nothing is written.`,
		Example: `  plumb check --kubeconfig FILE --shard 1/2 --report-dir shard-1
  plumb check --kubeconfig FILE --shard 2/2 --report-dir shard-2
  plumb merge shard-1 shard-2 --report-dir .report

  plumb merge downloads/* --same-shape --report-dir .report   # each job booted its own cluster from one --config`,
		RunE: func(c *cobra.Command, dirs []string) error {
			m.Dirs = dirs
			return mergeShards(c.Context(), m, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&m.Out, "report-dir", ".report", "where the merged report goes")
	c.Flags().BoolVar(&m.SameShape, "same-shape", false, "the shards judged clusters of their own, of one shape")
	return c
}

func mergeShards(ctx context.Context, m merged.Merge, out io.Writer) error {
	r, lines, err := m.Do(ctx)
	if err != nil {
		return err
	}
	for _, line := range lines {
		fmt.Fprintln(out, line)
	}
	fmt.Fprintf(out, "Merged %d shards; report in %s\n", len(m.Dirs), m.Out)
	return conclude(r, out)
}
