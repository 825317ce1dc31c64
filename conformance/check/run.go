package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// Run is one check of one target.
type Run struct {
	Target   cluster.Cluster
	Profiles []string
	Focus    string
	// Part is what this run does of a run that is split.
	Part Part
	// Rerun is the report whose requirements are run again, or nil; Earlier are those of its results.
	Rerun      *record.Rerun
	Earlier    []verdict.Result
	Procs      int
	Dir        string
	Repository string
	// Settings is a file that states the target's pace, or empty.
	Settings string
	// Version is the harness's, Flags those it was given, for the report. Seed is Ginkgo's.
	Version string
	Flags   []string
	Seed    int64
	// Timeout is how long each shard's specs may take; 0 is Ginkgo's own.
	Timeout time.Duration
	// ShardArgs are the words that make this executable a shard; the shard's own flags follow them.
	ShardArgs []string
	// Grace is how long a shard may clean up after an interruption before it is killed.
	Grace time.Duration
	// Keep saves what the target was like when something did not pass, and returns where.
	Keep func(context.Context) []string
	Out  io.Writer

	// kubeconfig is the file that shards read: never in Dir, which others get.
	kubeconfig string
}

// Do runs the suite and returns what the report in Dir says; it is there also after an interruption.
func (r *Run) Do(ctx context.Context) (*record.Report, error) {
	wanted, err := verdict.Of(r.Profiles...)
	if err != nil {
		return nil, err
	}
	all, err := preview()
	if err != nil {
		return nil, err
	}
	selected, err := r.selection(all, wanted)
	if err != nil {
		return nil, err
	}
	ids := selected
	if ids == nil {
		ids = idsOf(wanted)
	}
	if err := r.controlled(all, ids); err != nil {
		return nil, err
	}
	if err := report.Clear(r.Dir); err != nil {
		return nil, fmt.Errorf("--report-dir: %w", err)
	}
	remove, err := r.keepSecret()
	if err != nil {
		return nil, err
	}
	defer remove()
	t, err := target.New(r.Target, r.Repository, "parent")
	if err != nil {
		return nil, err
	}
	began := time.Now()
	out, err := r.introduce(ctx, t)
	if err != nil {
		return nil, err
	}
	if uid := out.Environment.Target.UID; r.Rerun != nil && r.Rerun.UID != uid {
		fmt.Fprintf(r.Out, "The cluster is not the one of the first run: its UID is %s, and was %s\n", uid, r.Rerun.UID)
	}
	observed := r.observe(ctx)
	results := again(r.Earlier, r.runShards(ctx, all, wanted, ids))
	out.Verdict = verdict.Judge(wanted, results, selected, r.doubts(ctx, t, out.Environment.Target)...)
	out.Leadership = observed(results)
	out.Run.Began, out.Run.Ended, out.Run.Selected = began, time.Now(), selected
	out.Count(wanted)
	if out.Exit != verdict.ExitConformant && r.Keep != nil {
		out.Kept = r.Keep(ctx)
	}
	return out, report.Write(r.Dir, out)
}

// introduce begins the report: what is known before anything runs. The budgets are those of the settings from here on.
func (r *Run) introduce(ctx context.Context, t *target.Target) (*record.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	layers, err := stated(ctx, t.Client, r.flagsOf(ctx), r.Settings)
	if err != nil {
		return nil, err
	}
	budget.Use(layers[len(layers)-1].Settings)
	out := &record.Report{
		Schema: record.Schema, Manifest: verdict.Digest(), Settings: record.Settings(layers...), Budgets: record.Limits(),
		Environment: environment(ctx, r.Target, t.Client, r.Version),
		Run:         record.Run{Flags: append([]string{}, r.Flags...), Focus: r.Focus, Shard: r.Part.String(), Rerun: r.Rerun, Seed: r.Seed, Procs: r.Procs},
	}
	return out, r.write(settingsName, []byte(settingsFile(out.Settings)))
}

// again joins what ran with what it was in an earlier run. What does not run again stays what it was.
func again(earlier, now []verdict.Result) []verdict.Result {
	for _, e := range earlier {
		i := slices.IndexFunc(now, func(r verdict.Result) bool { return r.ID == e.ID })
		if i < 0 {
			i = len(now)
			now = append(now, verdict.Result{ID: e.ID, Outcome: verdict.Missing, Message: "no spec of this requirement ran again"})
		}
		now[i] = verdict.Again(e, now[i])
	}
	return now
}

// flagsOf are those of the target's components where its provider knows them.
func (r *Run) flagsOf(ctx context.Context) map[string]map[string]string {
	c, ok := r.Target.(interface {
		Flags(ctx context.Context) (map[string]map[string]string, error)
	})
	if !ok {
		return nil
	}
	flags, err := c.Flags(ctx)
	if err != nil {
		fmt.Fprintln(r.Out, "plumb: settings:", err)
	}
	return flags
}

func (r *Run) doubts(ctx context.Context, t *target.Target, was record.Target) []verdict.Doubt {
	if ctx.Err() != nil {
		return []verdict.Doubt{{Text: "interrupted"}}
	}
	return changed(ctx, t.Client, was)
}

// write puts a file of this run into its folder.
func (r *Run) write(name string, data []byte) error {
	if err := os.WriteFile(filepath.Join(r.Dir, name), data, 0o600); err != nil {
		return fmt.Errorf("--report-dir: %w", err)
	}
	return nil
}

// keepSecret puts the kubeconfig where only this user reads it; remove takes it away. A report's folder is given to others: were this process killed,
// an administrator's credentials would go with it.
func (r *Run) keepSecret() (remove func(), err error) {
	dir, err := os.MkdirTemp("", "plumb-")
	if err != nil {
		return nil, fmt.Errorf("a place for the kubeconfig: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) }
	r.kubeconfig = filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(r.kubeconfig, r.Target.Kubeconfig(), 0o600); err != nil {
		remove()
		return nil, fmt.Errorf("a place for the kubeconfig: %w", err)
	}
	return remove, nil
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

func (r *Run) runShards(ctx context.Context, all []declared, wanted []verdict.Requirement, selected []string) []verdict.Result {
	parallel, serial := shards(all, selected, r.Procs)
	c := &collected{progress: newProgress(r.Out, wanted, len(selected))}
	following, stop := context.WithCancel(ctx)
	var follower sync.WaitGroup
	follower.Go(func() { c.progress.follow(following) })
	defer follower.Wait()
	defer stop()
	group := errgroup.Group{}
	for i, ids := range parallel {
		group.Go(func() error { return r.shard(ctx, fmt.Sprint(i+1), ids, c.take) })
	}
	if err := group.Wait(); err != nil {
		fmt.Fprintln(r.Out, "plumb:", err)
	}
	if len(serial) > 0 && ctx.Err() == nil {
		if err := r.shard(ctx, "serial", serial, c.take); err != nil {
			fmt.Fprintln(r.Out, "plumb:", err)
		}
	}
	return c.results
}

// reportPipe is the pipe's name in a shard: the first of its extra files.
const reportPipe = "/dev/fd/3"

// shard runs one process and takes its events. What it did not report is missing: its requirements are not passed.
func (r *Run) shard(ctx context.Context, name string, ids []string, take func(event)) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append(slices.Clone(r.ShardArgs), "--shard-name", name, "--shard-ids", strings.Join(ids, ","), "--shard-report", reportPipe,
		"--kubeconfig", r.kubeconfig, "--image-repository", r.Repository,
		"--settings", filepath.Join(r.Dir, settingsName), "--seed", fmt.Sprint(r.Seed))
	if r.Timeout > 0 {
		args = append(args, "--timeout", r.Timeout.String())
	}
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
