package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
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
	observed := r.observe(ctx)
	results := r.runShards(ctx, all, wanted, selected, kubeconfig)
	v := verdict.Judge(wanted, results, r.Focus != "")
	v.Leadership = observed(results)
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

// collected are the results of all shards as they come.
type collected struct {
	progress *progress
	mu       sync.Mutex
	results  []verdict.Result
}

func (c *collected) take(e event) {
	c.progress.take(e)
	if e.Result == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.results = append(c.results, *e.Result)
}

func (r *Run) runShards(ctx context.Context, all []declared, wanted []verdict.Requirement, selected []string, kubeconfig string) []verdict.Result {
	parallel, serial := shards(all, selected, r.Procs)
	c := &collected{progress: newProgress(r.Out, wanted, len(selected))}
	following, stop := context.WithCancel(ctx)
	var follower sync.WaitGroup
	follower.Go(func() { c.progress.follow(following) })
	defer follower.Wait()
	defer stop()
	group := errgroup.Group{}
	for i, ids := range parallel {
		group.Go(func() error { return r.shard(ctx, fmt.Sprint(i+1), ids, kubeconfig, c.take) })
	}
	if err := group.Wait(); err != nil {
		fmt.Fprintln(r.Out, "plumb:", err)
	}
	if len(serial) > 0 && ctx.Err() == nil {
		if err := r.shard(ctx, "serial", serial, kubeconfig, c.take); err != nil {
			fmt.Fprintln(r.Out, "plumb:", err)
		}
	}
	return c.results
}

// reportPipe is the pipe's name in a shard: the first of its extra files.
const reportPipe = "/dev/fd/3"

// shard runs one process and takes its events. What it did not report is missing: its requirements are not passed.
func (r *Run) shard(ctx context.Context, name string, ids []string, kubeconfig string, take func(event)) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append(slices.Clone(r.ShardArgs), "--shard-name", name, "--shard-ids", strings.Join(ids, ","), "--shard-report", reportPipe,
		"--kubeconfig", kubeconfig, "--image-repository", r.Repository)
	log, err := os.Create(filepath.Join(r.Dir, "shard-"+name+".log"))
	if err != nil {
		return fmt.Errorf("--report-dir: %w", err)
	}
	defer log.Close()
	from, to, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("shard %s: %w", name, err)
	}
	defer from.Close()
	c := exec.CommandContext(ctx, self, args...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = r.Grace
	c.Stdout, c.Stderr, c.ExtraFiles = log, log, []*os.File{to}
	// A Ctrl-C reaches the whole group: a shard that heard it beside our SIGTERM would skip its clean-up. It must not outlive us either.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	err = c.Start()
	to.Close()
	if err != nil {
		return fmt.Errorf("shard %s: %w", name, err)
	}
	read := make(chan error, 1)
	go func() { read <- events(from, take) }()
	err = c.Wait()
	return errors.Join(wrap(name, err), <-read)
}

func wrap(shard string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("shard %s: %w (its log is in the report)", shard, err)
}
