// Command plumb boots clusters in containers and checks whether a cluster is true to the Kubernetes API: plumb --help teaches the rest.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/conformance/check"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// exitInterrupted is what a shell reports for a process that SIGINT ended.
const exitInterrupted = 130

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(exitCode(ctx, newCommand()))
}

func exitCode(ctx context.Context, c *cobra.Command) int {
	err := c.ExecuteContext(ctx)
	var code check.ExitError
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "plumb: interrupted; what it had made is removed")
		return exitInterrupted
	case err == nil:
		return verdict.ExitConformant
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintln(os.Stderr, "plumb:", err)
	return verdict.ExitUsage
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "plumb",
		Short: "Is this Kubernetes-shaped orchestrator true?",
		Long: `Plumb boots multi-node clusters in containers and runs a conformance suite on them,
or on any cluster that a kubeconfig reaches.

  plumb cluster up --config kind-configs/ha.yaml     boot a cluster of the reference orchestrator
  plumb check --kubeconfig FILE --profile api        judge any cluster
  plumb check --list                                 what is required, one line each
  plumb verify .report                               compute the verdict of a report again from its evidence
  plumb rerun --failed .report                       run again what did not pass
  plumb merge DIR... --report-dir OUT                one report of the shards of a run
  plumb diff A B                                     what differs between two reports

Exit codes of check: 0 every requirement ran and passed; 1 one failed; 2 a bad flag or file;
3 inconclusive (nothing ran, a fault not witnessed, the target lost); 130 interrupted.`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(newClusterCommand(), newCheckCommand(), newTranscriptCommand(), newImagesCommand(), newVersionCommand(), newBenchCommand(), newSoakCommand(),
		newVerifyCommand(), newMergeCommand(), newDiffCommand(), newRerunCommand())
	return root
}

// version is set by the linker.
var version = "v0.1.0-dev"

func newVersionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs, Run: func(c *cobra.Command, _ []string) {
		fmt.Fprintf(c.OutOrStdout(), "plumb %s, requirements of Kubernetes v1.37\n", version)
	}}
}
