package check

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
)

// Run is one check of one target.
type Run struct {
	Target     cluster.Cluster
	Profiles   []string
	Focus      string
	Procs      int
	Dir        string
	Repository string
	// ShardArgs are the words that make this executable a shard; the shard's own flags follow them.
	ShardArgs []string
	// Grace is how long a shard may clean up after an interruption before it is killed.
	Grace time.Duration
	// Keep saves what the target was like when something did not pass, and returns where: the results that did not pass link to it.
	Keep func(context.Context) []string
	Out  io.Writer
}

// Do runs the suite and returns the verdict; the report is in Dir, also after an interruption.
func (r *Run) Do(ctx context.Context) (verdict.Verdict, error) {
	wanted, err := verdict.Of(r.Profiles...)
	if err != nil {
		return verdict.Verdict{}, err
	}
	all, err := preview()
	if err != nil {
		return verdict.Verdict{}, err
	}
	selected, err := focus(wanted, r.Focus)
	if err != nil {
		return verdict.Verdict{}, err
	}
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return verdict.Verdict{}, fmt.Errorf("--report-dir: %w", err)
	}
	kubeconfig := filepath.Join(r.Dir, "kubeconfig")
	if err := os.WriteFile(kubeconfig, r.Target.Kubeconfig(), 0o600); err != nil {
		return verdict.Verdict{}, fmt.Errorf("--report-dir: %w", err)
	}
	defer os.Remove(kubeconfig)
	started := time.Now()
	results := r.runShards(ctx, all, selected, kubeconfig)
	v := verdict.Judge(wanted, results, r.Focus != "")
	if ctx.Err() != nil && v.Exit == verdict.ExitConformant {
		v.Exit, v.Text = verdict.ExitInconclusive, "INCONCLUSIVE: interrupted"
	}
	if v.Exit != verdict.ExitConformant && r.Keep != nil {
		link(&v, r.Keep(ctx))
	}
	return v, report.Write(r.Dir, v, time.Since(started))
}

// link tells every result that did not pass where more is kept.
func link(v *verdict.Verdict, kept []string) {
	for i := range v.Results {
		if v.Results[i].Outcome == verdict.Passed {
			continue
		}
		for _, path := range kept {
			v.Results[i].Evidence = append(v.Results[i].Evidence, verdict.Evidence{Name: "kept", Text: path})
		}
	}
}

// focus picks the IDs whose ID or sentence matches.
func focus(wanted []verdict.Requirement, expression string) ([]string, error) {
	match, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("--focus: %w", err)
	}
	var ids []string
	for _, w := range wanted {
		if match.MatchString(w.ID + " " + w.Text) {
			ids = append(ids, w.ID)
		}
	}
	return ids, nil
}

func (r *Run) runShards(ctx context.Context, all []declared, selected []string, kubeconfig string) []verdict.Result {
	parallel, serial := shards(all, selected, r.Procs)
	files := make([]string, len(parallel))
	group := errgroup.Group{}
	for i, ids := range parallel {
		files[i] = filepath.Join(r.Dir, fmt.Sprintf("shard-%d.json", i+1))
		group.Go(func() error { return r.shard(ctx, fmt.Sprint(i+1), ids, kubeconfig, files[i]) })
	}
	if err := group.Wait(); err != nil {
		fmt.Fprintln(r.Out, "plumb:", err)
	}
	if len(serial) > 0 && ctx.Err() == nil {
		files = append(files, filepath.Join(r.Dir, "shard-serial.json"))
		if err := r.shard(ctx, "serial", serial, kubeconfig, files[len(files)-1]); err != nil {
			fmt.Fprintln(r.Out, "plumb:", err)
		}
	}
	return r.collect(files)
}

// shard runs one process. Its report may be missing afterwards: then its requirements are.
func (r *Run) shard(ctx context.Context, name string, ids []string, kubeconfig, file string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append(slices.Clone(r.ShardArgs), "--shard-name", name, "--shard-ids", strings.Join(ids, ","), "--shard-report", file,
		"--kubeconfig", kubeconfig, "--image-repository", r.Repository)
	log, err := os.Create(filepath.Join(r.Dir, "shard-"+name+".log"))
	if err != nil {
		return fmt.Errorf("--report-dir: %w", err)
	}
	defer log.Close()
	c := exec.CommandContext(ctx, self, args...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = r.Grace
	c.Stdout, c.Stderr = log, r.Out
	if err := c.Run(); err != nil {
		return fmt.Errorf("shard %s: %w", name, err)
	}
	return nil
}

func (r *Run) collect(files []string) []verdict.Result {
	var all []verdict.Result
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			fmt.Fprintln(r.Out, "plumb: a shard left no report:", err)
			continue
		}
		var results []verdict.Result
		if err := json.Unmarshal(data, &results); err != nil {
			fmt.Fprintf(r.Out, "plumb: %s: %v\n", f, err)
			continue
		}
		all = append(all, results...)
		_ = os.Remove(f)
	}
	return all
}
