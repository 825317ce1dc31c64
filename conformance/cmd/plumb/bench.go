package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/conformance/bench"
	"github.com/plumb-k8s/plumb/conformance/check"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/cluster/containers"
	"github.com/plumb-k8s/plumb/conformance/cluster/existing"
)

// benchFlags are the flags of plumb bench.
type benchFlags struct {
	shapeFlags
	kubeconfig, against, report string
	work                        bench.Config
}

func newBenchCommand() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use: "bench", Short: "Measure a cluster, or compare two: memory and processor time at rest, requests per CPU second, pod start", Args: cobra.NoArgs,
		Long: `Measures the cluster of --kubeconfig, or one booted for this run from --config, and compares it with that of --against in
alternating rounds. The nodes of both must be containers on this machine with the nodes' names as host names, and the
bench must run as root: memory and processor time of the components are read from /proc.`,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), c.OutOrStdout()) },
	}
	fs := c.Flags()
	f.shapeFlags.add(fs)
	fs.StringVar(&f.kubeconfig, "kubeconfig", "", "measure the cluster of this kubeconfig instead of booting one")
	fs.StringVar(&f.against, "against", "", "kubeconfig of the cluster to compare with; without it there are no ratios")
	fs.StringVar(&f.report, "report", ".report/bench.json", "where the figures are saved")
	fs.IntVar(&f.work.Rounds, "rounds", 3, "rounds of requests and pod starts")
	fs.IntVar(&f.work.Scale, "scale", 1, "divide the amount of work by this, for a quick look")
	fs.DurationVar(&f.work.Settle, "settle", time.Minute, "how long a cluster rests before its memory and processor time are measured")
	fs.StringVar(&f.work.Image, "pod-image", "registry.k8s.io/pause:3.10.2", "image of the pods that are started")
	fs.StringVar(&f.work.Only, "only", "", "measure only this: idle, api or start")
	c.AddCommand(newFailoverCommand())
	return c
}

func (f *benchFlags) run(ctx context.Context, out io.Writer) error {
	f.work.Out = out
	if f.against != "" {
		peer, err := existing.Open(ctx, f.against, "")
		if err != nil {
			return fmt.Errorf("--against: %w", err)
		}
		f.work.Sides, f.work.Names = append(f.work.Sides, peer), append(f.work.Names, "peer")
	}
	if f.kubeconfig != "" {
		subject, err := existing.Open(ctx, f.kubeconfig, "")
		if err != nil {
			return err
		}
		return f.measure(ctx, subject, out)
	}
	return withProvider(ctx, func(p *containers.Provider) error {
		cfg, err := f.containersConfig(out)
		if err != nil {
			return err
		}
		defer remove(ctx, p, cfg.Shape.Name)
		booted, err := p.Boot(ctx, cfg)
		if err != nil {
			return check.Infrastructure{Err: err}
		}
		return f.measure(ctx, booted, out)
	})
}

func (f *benchFlags) measure(ctx context.Context, subject cluster.Cluster, out io.Writer) error {
	f.work.Sides, f.work.Names = append([]cluster.Cluster{subject}, f.work.Sides...), append([]string{"ours"}, f.work.Names...)
	report, err := bench.Run(ctx, f.work)
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	if err := report.Print(out); err != nil {
		return err
	}
	return report.Save(f.report)
}
