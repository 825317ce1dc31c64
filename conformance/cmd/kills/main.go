// Command kills runs the mutants of the orchestrator against the suite; make mutants calls it in the module's root, after the images and programs
// are made. Its last line is the verdict; it fails when a mutant survives.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/conformance/kills"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "kills:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	cfg := kills.Config{Root: "."}
	var mutant, tag string
	c := &cobra.Command{
		Use: "kills", Short: "Run the mutants and hold the suite to kill them", Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg.Out = c.OutOrStdout()
			cfg.Images = kills.Images{Node: "plumb/node:" + tag, Registry: "plumb/registry:" + tag, Fault: "plumb/fault:" + tag}
			return run(c.Context(), cfg, mutant)
		},
	}
	fs := c.Flags()
	fs.StringVar(&mutant, "mutant", "", "run only these, by name, comma-separated")
	fs.StringVar(&cfg.Dir, "report-dir", ".report/mutants", "where reports and the matrix of this run go")
	fs.StringVar(&cfg.Kept, "matrix", "conformance/kills", "folder of the matrix that is kept, in which the rows of this run are renewed")
	fs.StringVar(&tag, "tag", "dev", "tag of the images")
	fs.StringVar(&cfg.Cluster, "name", "mutants", "name of the clusters that are booted")
	return c
}

func run(ctx context.Context, cfg kills.Config, mutant string) error {
	all, err := kills.Load(cfg.Root)
	if err != nil {
		return err
	}
	picked, err := kills.Select(all, mutant)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return err
	}
	rows, err := kills.Run(ctx, cfg, picked)
	if err != nil {
		return err
	}
	killed := kills.Matrix{Rows: rows}.Killed()
	fmt.Fprintf(cfg.Out, "%d of %d mutants killed\n", killed, len(picked))
	if killed < len(picked) {
		return fmt.Errorf("%d mutants survived or did not run", len(picked)-killed)
	}
	return nil
}
