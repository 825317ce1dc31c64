package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/conformance/bench/failover"
	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// failoverFlags are the flags of plumb bench failover.
type failoverFlags struct {
	shapeFlags
	cluster, against, report string
	work                     failover.Config
}

func newFailoverCommand() *cobra.Command {
	var f failoverFlags
	c := &cobra.Command{
		Use: "failover", Short: "Measure how soon a control plane of three works again after it lost a part", Args: cobra.NoArgs,
		Long: `Kills or pauses the node that holds the leases, kills the node that leads etcd, kills both leading processes - round after round, on a
cluster booted for this run from --config, or on --cluster - and measures how long clients that write through the balancer went without an
acknowledged write, and when a new Deployment had its ReplicaSet and its pod a node. Everything is whole again before each round.`,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), c.OutOrStdout()) },
	}
	fs := c.Flags()
	f.shapeFlags.add(fs)
	fs.StringVar(&f.cluster, "cluster", "", "measure a cluster that plumb cluster up left running")
	fs.StringVar(&f.against, "against", "", "kubeconfig of a cluster to measure beside it: its nodes are containers of this engine with the nodes' names")
	fs.StringVar(&f.report, "report", ".report/failover.json", "where the figures are saved")
	fs.IntVar(&f.work.Rounds, "rounds", 10, "rounds of each case")
	fs.StringVar(&f.work.Only, "only", "", "measure only the cases whose name holds this")
	fs.StringVar(&f.work.Image, "pod-image", "registry.k8s.io/pause:3.10.2", "image of the pod that is placed")
	return c
}

func (f *failoverFlags) run(ctx context.Context, out io.Writer) error {
	f.work.Out = out
	if f.against != "" {
		peer, err := (&nodeControl{by: byDocker}).open(ctx, f.against, "", f.fault)
		if err != nil {
			return fmt.Errorf("--against: %w", err)
		}
		f.work.Sides, f.work.Names = append(f.work.Sides, peer), append(f.work.Names, "peer")
	}
	return f.onCluster(ctx, f.cluster, out, func(c cluster.Cluster) error { return f.measure(ctx, c, out) })
}

// measure prints and saves what was measured, also when the run ended early.
func (f *failoverFlags) measure(ctx context.Context, subject cluster.Cluster, out io.Writer) error {
	f.work.Sides, f.work.Names = append([]cluster.Cluster{subject}, f.work.Sides...), append([]string{"ours"}, f.work.Names...)
	report, err := failover.Run(ctx, f.work)
	if len(report.Rounds) > 0 {
		fmt.Fprintln(out)
		err = errors.Join(err, report.Print(out), report.Save(f.report))
	}
	return err
}
