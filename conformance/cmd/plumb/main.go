// Command plumb boots clusters in containers and checks whether a cluster is true to the Kubernetes API: plumb --help teaches the rest.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
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
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "plumb: interrupted; what it had made is removed")
		return exitInterrupted
	}
	code, told := outcome(err)
	for _, each := range told {
		fmt.Fprintln(os.Stderr, "plumb:", each)
	}
	return code
}

// outcome is the exit code of a command, and the errors that nobody has told yet. A verdict that was told keeps its code, whatever went wrong after it:
// that is told beside it.
func outcome(err error) (code int, told []error) {
	if err == nil {
		return verdict.ExitConformant, nil
	}
	if all := parts(err); len(all) > 1 {
		explained := false
		for _, each := range all {
			own, more := outcome(each)
			told = append(told, more...)
			var exit check.ExitError
			if is := errors.As(each, &exit); code == 0 || is && !explained {
				code, explained = own, is
			}
		}
		return code, told
	}
	var exit check.ExitError
	var infrastructure check.Infrastructure
	switch {
	case errors.As(err, &exit):
		return int(exit), nil
	case errors.As(err, &infrastructure):
		return verdict.ExitInfrastructure, []error{err}
	}
	return verdict.ExitUsage, []error{err}
}

// parts are the errors that errors.Join has put together, a line each; one that wraps several in a sentence of its own is one.
func parts(err error) []error {
	all, joined := err.(interface{ Unwrap() []error })
	if !joined {
		return []error{err}
	}
	var lines []string
	for _, each := range all.Unwrap() {
		lines = append(lines, each.Error())
	}
	if strings.Join(lines, "\n") != err.Error() {
		return []error{err}
	}
	return all.Unwrap()
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
3 inconclusive (nothing ran, a fault not witnessed, the target lost); 4 what the suite needs around it failed
(the engine, the boot, the clean-up) and nothing is known; 130 interrupted.`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(newClusterCommand(), newCheckCommand(), newTranscriptCommand(), newImagesCommand(), newVersionCommand(), newBenchCommand(), newSoakCommand(),
		newVerifyCommand(), newMergeCommand(), newDiffCommand(), newRerunCommand())
	return root
}

// stamped is set by the linker: the release, or the commit.
var stamped string

// version is what this program calls itself; without the linker's word it is the commit's, as far as go knows it.
var version = cmp.Or(stamped, versionOf(debug.ReadBuildInfo()))

// versionOf is the module's version, or the commit of a checkout.
func versionOf(build *debug.BuildInfo, known bool) string {
	const unknown = "v0.0.0-unknown"
	if !known {
		return unknown
	}
	if v := build.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	commit, dirty := "", ""
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if commit == "" {
		return unknown
	}
	return "v0.0.0-" + commit + dirty
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs, Run: func(c *cobra.Command, _ []string) {
		fmt.Fprintf(c.OutOrStdout(), "plumb %s, requirements of Kubernetes v1.37\n", version)
	}}
}
