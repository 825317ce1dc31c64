package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/conformance/check"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/cluster/existing"
	"github.com/plumb-k8s/plumb/conformance/transcript"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// transcriptFlags are the flags of plumb transcript.
type transcriptFlags struct {
	kubeconfig, against, kubectl, scenes, record string
	procs                                        int
}

func newTranscriptCommand() *cobra.Command {
	var f transcriptFlags
	c := &cobra.Command{
		Use: "transcript", Short: "Compare what kubectl shows on a cluster with a recording of stock Kubernetes", Args: cobra.NoArgs,
		Long: `Plays the recorded command lines with an unmodified kubectl and compares outputs and exit codes, after masking times, generated
names and addresses. Prints a unified diff for each command line that differs. Exit code 0: all as recorded, apart from the accepted
differences; 1: one differs or could not be played; 3: the cluster does not answer.`,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), c.OutOrStdout()) },
	}
	fs := c.Flags()
	fs.StringVar(&f.kubeconfig, "kubeconfig", "", "the cluster to play on")
	fs.StringVar(&f.against, "against", "", "kubeconfig of a cluster to compare with instead of the recording")
	fs.StringVar(&f.kubectl, "kubectl", ".build/bin/kubectl", "the kubectl to run, v1.37")
	fs.StringVar(&f.scenes, "scenes", "", "play only scenes whose name matches this expression")
	fs.StringVar(&f.record, "record", "", "folder of a recording (conformance/transcript/testdata) to read the scenes from and to write what is seen to")
	fs.IntVar(&f.procs, "procs", 4, "how many scenes are played at the same time")
	return c
}

func (f *transcriptFlags) run(ctx context.Context, out io.Writer) error {
	recording, err := f.recording()
	if err != nil {
		return err
	}
	r := transcript.Run{Recording: recording, Record: f.record, Procs: f.procs, Out: out}
	if r.Player, err = f.player(ctx, f.kubeconfig, recording); err != nil {
		fmt.Fprintln(os.Stderr, "plumb:", err)
		return check.ExitError(verdict.ExitInconclusive)
	}
	if f.against != "" {
		if r.Against, err = f.player(ctx, f.against, recording); err != nil {
			fmt.Fprintln(os.Stderr, "plumb:", err)
			return check.ExitError(verdict.ExitInconclusive)
		}
	}
	if err := r.Do(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d command lines in %d scenes: %d differ, %d scenes broken off\n", r.Commands, len(recording.Scenes), r.Different, r.Broken)
	if r.Different+r.Broken > 0 {
		return check.ExitError(verdict.ExitFailed)
	}
	return nil
}

// recording is what this program was built with, or what is about to be recorded anew, narrowed to the chosen scenes.
func (f *transcriptFlags) recording() (transcript.Recording, error) {
	load := transcript.Load
	if f.record != "" {
		load = func() (transcript.Recording, error) { return transcript.LoadFrom(f.record) }
	}
	recording, err := load()
	if err != nil {
		return recording, err
	}
	match, err := regexp.Compile(f.scenes)
	if err != nil {
		return recording, fmt.Errorf("--scenes: %w", err)
	}
	recording.Scenes = slices.DeleteFunc(recording.Scenes, func(s transcript.Scene) bool { return !match.MatchString(s.Name) })
	return recording, nil
}

func (f *transcriptFlags) player(ctx context.Context, kubeconfig string, recording transcript.Recording) (*transcript.Player, error) {
	c, err := existing.Open(ctx, kubeconfig, "")
	if err != nil {
		return nil, err
	}
	kubectl, err := filepath.Abs(f.kubectl)
	if err == nil {
		_, err = os.Stat(kubectl)
	}
	if err != nil {
		return nil, fmt.Errorf("--kubectl: %w (make build makes one)", err)
	}
	p := &transcript.Player{Kubectl: kubectl, Kubeconfig: c.Kubeconfig(), Server: c.Name(), Files: recording.Files}
	for _, node := range c.Nodes() {
		if node.Role == cluster.ControlPlane {
			p.ControlPlanes = append(p.ControlPlanes, node.Name)
		} else {
			p.Workers = append(p.Workers, node.Name)
		}
	}
	return p, nil
}
