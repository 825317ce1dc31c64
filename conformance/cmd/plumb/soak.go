package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/plumb-k8s/plumb/conformance/check"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/soak"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// soakFlags are the flags of plumb soak.
type soakFlags struct {
	shapeFlags
	cluster, dir string
	length       time.Duration
	seed         uint64
}

func newSoakCommand() *cobra.Command {
	var f soakFlags
	c := &cobra.Command{
		Use: "soak", Short: "Break a cluster at random under load and judge what clients saw", Args: cobra.NoArgs,
		Long: `Injects one random fault after another - nodes killed, stopped, restarted, paused and cut off, components killed, stopped and paused -
while clients write, read and watch through every apiserver and the balancer. After each fault the cluster must serve
again, and the history must hold no lost write, no stale read and no watch gap. The seed is printed and chooses the same faults again.

Exit codes: 0 every round was good; 1 one broke a rule; 3 a fault was not witnessed, or the cluster could not be reached.`,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), c.OutOrStdout()) },
	}
	fs := c.Flags()
	f.shapeFlags.add(fs)
	fs.StringVar(&f.cluster, "cluster", "", "break a cluster that plumb cluster up left running (default: boot one from --config)")
	fs.StringVar(&f.dir, "report-dir", ".report", "where soak.json and bad histories go")
	fs.DurationVar(&f.length, "for", 30*time.Minute, "how long faults are injected")
	fs.Uint64Var(&f.seed, "seed", 0, "choose the faults of an earlier run (default: a new seed)")
	return c
}

func (f *soakFlags) run(ctx context.Context, out io.Writer) error {
	return f.onCluster(ctx, f.cluster, out, func(c cluster.Cluster) error { return f.soak(ctx, c, out) })
}

func (f *soakFlags) soak(ctx context.Context, c cluster.Cluster, out io.Writer) error {
	cfg, err := clientcmd.RESTConfigFromKubeConfig(c.Kubeconfig())
	if err != nil {
		return fmt.Errorf("kubeconfig of %s: %w", c.Name(), err)
	}
	if f.seed == 0 {
		f.seed = rand.Uint64N(1e9) + 1
	}
	run := soak.Soak{Cluster: c, Config: cfg, For: f.length, Seed: f.seed, Dir: f.dir, Out: out}
	result, err := run.Run(ctx)
	if err != nil {
		return err
	}
	rounds, wrong, open := len(result.Rounds), result.Wrong(), result.Inconclusive()
	verdictLine := fmt.Sprintf("%d faults injected, %d rounds broke a rule, %d inconclusive; seed %d", rounds, wrong, open, result.Seed)
	switch {
	case wrong > 0:
		fmt.Fprintln(out, "FAIL: "+verdictLine)
		return check.ExitError(verdict.ExitFailed)
	case open > 0 || rounds == 0:
		fmt.Fprintln(out, "INCONCLUSIVE: "+verdictLine)
		return check.ExitError(verdict.ExitInconclusive)
	}
	fmt.Fprintln(out, "PASS: "+verdictLine)
	return nil
}
