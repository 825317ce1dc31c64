package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/check"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/cluster/containers"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// checkFlags are the flags of plumb check.
type checkFlags struct {
	shapeFlags
	kubeconfig, cluster, focus, dir, repository string
	kubeContext                                 string
	timeout                                     time.Duration
	profiles                                    []string
	procs                                       int
	list, keep                                  bool
	settings, shard                             string
	seed                                        int64
	control                                     nodeControl
	shardName, shardReport                      string
	shardIDs                                    []string

	// given are the flags as they stand on the command line.
	given []string
	part  check.Part
	// rerun is the report whose earlier results are run again, if it is one.
	rerun   *record.Rerun
	earlier []verdict.Result
	// judged: there is a report.
	judged bool
}

func newCheckCommand() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use: "check", Short: "Run the conformance suite on a cluster and print a verdict", Args: cobra.NoArgs,
		Long: `Runs the suite on --kubeconfig (any cluster), on --cluster (one that plumb cluster up left), or on a cluster booted for this run
from --config. Requirements whose faults break nodes need control over them: on --kubeconfig that is --node-control, and without it such a run
does not begin. The verdict fails closed: a requirement that did not run is not passed. The report goes to --report-dir:
report.html for people, report.json, junit.xml, and report.sha256 with the digests of all three, of the evidence and of the logs (plumb verify checks them).

Time limits follow the target's pace: upstream's defaults, what the cluster itself states (Leases, flags), and at last --settings, a file of
lines such as "nodeMonitorGracePeriod: 40s".`,
		RunE: func(c *cobra.Command, _ []string) error {
			f.given = given(c.Flags())
			return f.run(c.Context(), c.OutOrStdout())
		},
	}
	f.add(c.Flags())
	return c
}

func (f *checkFlags) add(fs *pflag.FlagSet) {
	f.addTarget(fs)
	fs.StringSliceVar(&f.profiles, "profile", nil, "profiles to run (default: all)")
	fs.StringVar(&f.focus, "focus", "", "run only requirements whose ID or sentence matches this expression; prints PARTIAL, not a verdict")
	fs.StringVar(&f.shard, "shard", "", "run only the i-th of n parts, such as 2/3; prints PARTIAL, not a verdict")
	fs.StringVar(&f.dir, "report-dir", ".report", "where the report goes")
	fs.BoolVar(&f.list, "list", false, "print the requirements, those of --profile and --focus, and stop")
	fs.StringVar(&f.shardName, "shard-name", "", "")
	fs.StringVar(&f.shardReport, "shard-report", "", "")
	fs.StringSliceVar(&f.shardIDs, "shard-ids", nil, "")
	for _, internal := range []string{"shard-name", "shard-report", "shard-ids"} {
		if err := fs.MarkHidden(internal); err != nil {
			panic(err) // a misspelt name above: caught by any test that builds the command
		}
	}
}

// addTarget adds the flags that say what is judged and how, not which requirements.
func (f *checkFlags) addTarget(fs *pflag.FlagSet) {
	f.shapeFlags.add(fs)
	fs.StringVar(&f.kubeconfig, "kubeconfig", "", "judge the cluster of this kubeconfig")
	fs.StringVar(&f.kubeContext, "context", "", "judge the cluster of this context, of --kubeconfig or else of $KUBECONFIG or ~/.kube/config")
	fs.DurationVar(&f.timeout, "timeout", 2*time.Hour, "how long the specs may take in all; what has not run by then is missing")
	f.control.add(fs)
	fs.StringVar(&f.cluster, "cluster", "", "judge a cluster that plumb cluster up left running")
	fs.StringVar(&f.repository, "image-repository", "docker.io/plumb", "where the fixture images are pulled from")
	fs.StringVar(&f.settings, "settings", "", "file that states the target's pace (default: what the cluster itself states)")
	fs.IntVar(&f.procs, "procs", atOnce(), "how many specs run at the same time")
	fs.Int64Var(&f.seed, "seed", 0, "seed of the specs' order, to repeat that of another run (default: a new one)")
	fs.BoolVar(&f.keep, "keep", false, "leave the cluster that this run booted")
}

// atOnce is how many specs this machine can carry beside the nodes that it may hold: with twice as many as processors, probes ran out of time.
func atOnce() int { return min(runtime.NumCPU()+1, 8) }

// given lists the flags that were set.
func given(fs *pflag.FlagSet) []string {
	all := []string{}
	fs.Visit(func(flag *pflag.Flag) { all = append(all, "--"+flag.Name+"="+strings.Trim(flag.Value.String(), "[]")) })
	return all
}

// existing: the target is one that somebody else made.
func (f *checkFlags) existing() bool { return f.kubeconfig != "" || f.kubeContext != "" }

// sound refuses flags and files that cannot be right, before anything is booted.
func (f *checkFlags) sound() error {
	if f.procs < 1 {
		return fmt.Errorf("--procs %d: must be at least 1", f.procs)
	}
	if f.settings != "" {
		if _, err := budget.Read(f.settings, budget.Stock()); err != nil {
			return err
		}
	}
	if len(f.components) > 0 && (f.existing() || f.cluster != "") {
		return errors.New("--component: components are replaced when a cluster is booted; leave out --kubeconfig and --cluster, or give it to plumb cluster up")
	}
	if f.timeout <= 0 {
		return fmt.Errorf("--timeout %s: must be above zero", f.timeout)
	}
	if f.kubeContext != "" && f.cluster != "" {
		return errors.New("--context and --cluster name two targets: give one")
	}
	if f.shardReport == "" && f.kubeconfig != "" && f.cluster != "" { // a shard of a kept cluster is given both
		return errors.New("--kubeconfig and --cluster name two targets: give one")
	}
	if err := f.control.sound(f.existing()); err != nil {
		return err
	}
	var err error
	f.part, err = check.ParsePart(f.shard)
	f.seed = cmp.Or(f.seed, time.Now().Unix())
	return err
}

func (f *checkFlags) run(ctx context.Context, out io.Writer) error {
	if err := f.sound(); err != nil {
		return err
	}
	switch {
	case f.list:
		return f.printList(out)
	case f.shardReport != "":
		return f.runShard(ctx)
	}
	err := f.onTarget(ctx, out)
	var broken check.Infrastructure
	if errors.As(err, &broken) && ctx.Err() == nil && !f.judged {
		// Who collects results finds one, also when there was nothing to judge.
		err = errors.Join(err, report.NotRun(f.dir, broken.Error()))
	}
	return err
}

// onTarget judges what the flags name.
func (f *checkFlags) onTarget(ctx context.Context, out io.Writer) error {
	switch {
	case f.existing():
		c, err := f.control.open(ctx, f.kubeconfig, f.kubeContext, f.fault)
		if err != nil {
			fmt.Fprintln(os.Stderr, "plumb:", err)
			return check.ExitError(verdict.ExitInconclusive)
		}
		return f.judge(ctx, c, append([]string{"check"}, f.control.args(f.fault)...), out)
	}
	return withProvider(ctx, func(p *containers.Provider) error { return f.onContainers(ctx, p, out) })
}

// onContainers judges a kept cluster, or boots one and removes it afterwards; what a removed cluster leaves on the machine fails the run.
func (f *checkFlags) onContainers(ctx context.Context, p *containers.Provider, out io.Writer) error {
	if f.cluster != "" {
		c, err := p.Find(ctx, f.cluster, f.fault)
		if err != nil {
			return err
		}
		return f.judge(ctx, c, []string{"check", "--cluster", f.cluster, "--fault-image", f.fault}, out)
	}
	cfg, err := f.containersConfig(out)
	if err != nil {
		return err
	}
	if err := preflight(ctx, p, cfg.Shape); err != nil {
		return err
	}
	if f.keep {
		return f.bootAndJudge(ctx, p, cfg, out)
	}
	trace := containers.Before(cfg.Shape.Name)
	err = f.bootAndJudge(ctx, p, cfg, out)
	return errors.Join(leave(ctx, p, trace), err)
}

func (f *checkFlags) bootAndJudge(ctx context.Context, p *containers.Provider, cfg containers.Config, out io.Writer) error {
	name := cfg.Shape.Name
	controlPlanes, workers := cfg.Shape.Roles()
	fmt.Fprintf(out, "Booting cluster %s: %d control plane(s), %d worker(s)\n", name, controlPlanes, workers)
	c, err := p.Boot(ctx, cfg)
	if err != nil {
		if c != nil && ctx.Err() == nil {
			fmt.Fprintln(out, "What the cluster was like is kept in", strings.Join(keep(ctx, c, f.dir), " and "))
		}
		return check.Infrastructure{Err: err}
	}
	return f.judge(ctx, c, []string{"check", "--cluster", name, "--fault-image", f.fault}, out)
}

// leave removes a cluster, also after an interruption, and fails when anything of it is still there.
func leave(ctx context.Context, p *containers.Provider, trace *containers.Trace) error {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if err := p.Mark(grace, trace); err != nil {
		fmt.Fprintln(os.Stderr, "plumb:", err)
	}
	if err := p.Delete(grace, trace.Name()); err != nil {
		return check.Infrastructure{Err: err}
	}
	left, err := p.Left(grace, trace)
	if err != nil {
		return check.Infrastructure{Err: err}
	}
	if len(left) == 0 {
		return nil
	}
	fmt.Fprintf(os.Stderr, "plumb: the cluster left %d things behind:\n  %s\n", len(left), strings.Join(left, "\n  "))
	return check.ExitError(verdict.ExitFailed)
}

// judge runs the suite and prints the verdict as the last line.
func (f *checkFlags) judge(ctx context.Context, c cluster.Cluster, shardArgs []string, out io.Writer) error {
	started := time.Now()
	run := check.Run{
		Target: c, Profiles: f.profiles, Focus: f.focus, Part: f.part, Rerun: f.rerun, Earlier: f.earlier, Procs: f.procs, Dir: f.dir,
		Repository: strings.TrimSuffix(f.repository, "/"), ShardArgs: shardArgs, Out: out,
		Settings: f.settings, Version: version, Flags: f.given, Seed: f.seed, Timeout: f.timeout,
		Grace: f.grace(), Keep: func(ctx context.Context) []string { return keep(ctx, c, f.dir) },
	}
	r, err := run.Do(ctx)
	if errors.Is(err, check.ErrNoControl) {
		fmt.Fprintln(os.Stderr, "plumb:", err)
		return check.ExitError(verdict.ExitInconclusive)
	}
	if err != nil {
		return err
	}
	f.judged = true
	fmt.Fprintf(out, "\nRan %d of %d requirements in %.0f s; report in %s\n", len(r.Results)-r.Counts[verdict.Missing], len(r.Results), time.Since(started).Seconds(), f.dir)
	return conclude(r, out)
}

// conclude prints what did not pass and why, and the verdict, which is the last line, and returns its exit code. Whoever sees only the end of
// a run's output knows what to look at.
func conclude(r *record.Report, out io.Writer) error {
	for _, result := range r.Results {
		if result.Outcome != verdict.Passed {
			fmt.Fprintf(out, "  %-13s %-10s %s\n", result.Outcome, result.ID, result.Requirement)
			fmt.Fprint(out, brief(result.Message))
		}
	}
	for _, result := range r.Results {
		if result.Flaky() {
			fmt.Fprintf(out, "flaky? %s was %s before and passed this time; it stays %s\n", result.ID, result.Outcome, result.Outcome)
		}
	}
	others := len(r.Results) - r.Counts[verdict.Passed] - r.Counts[verdict.Failed]
	if l := r.Leadership; l != nil {
		fmt.Fprintf(out, "leadership changes: %d, of them unexplained: %d\n", len(l.Changes), l.Unexplained)
		for _, c := range l.Changes {
			if c.Because == "" {
				fmt.Fprintf(out, "  %s  %s: %s -> %s\n", c.At.Format("15:04:05"), c.Subject, cmp.Or(c.From, "?"), cmp.Or(c.To, "?"))
			}
		}
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n%s\n", r.Counts[verdict.Passed], r.Counts[verdict.Failed], others, r.Text)
	if r.Exit != 0 {
		return check.ExitError(r.Exit)
	}
	return nil
}

// brief is the beginning of a message, indented below what it explains; the line of the result when it came, and the report, have all of it.
func brief(message string) string {
	const rows, columns = 12, 240
	text := ""
	for n, line := range strings.Split(strings.TrimSpace(message), "\n") {
		if n == rows {
			return text + "      ...\n"
		}
		if line = strings.TrimRight(line, " \t\r"); len(line) > columns {
			line = strings.ToValidUTF8(line[:columns], "") + "..."
		}
		if line != "" {
			text += "      " + line + "\n"
		}
	}
	return text
}

// grace of an interruption: a cluster that is removed next needs no cleaning up.
func (f *checkFlags) grace() time.Duration {
	if !f.existing() && f.cluster == "" && !f.keep {
		return cleanupTime / 8
	}
	return cleanupTime * 3 / 4
}

// runShard is the body of a child process. Its target is a kept cluster, or any by kubeconfig.
func (f *checkFlags) runShard(ctx context.Context) error {
	c, err := f.shardTarget(ctx)
	if err != nil {
		return err
	}
	t, err := target.New(c, strings.TrimSuffix(f.repository, "/"), f.shardName)
	if err != nil {
		return err
	}
	settings, err := budget.Read(f.settings, budget.Stock())
	if err != nil {
		return err
	}
	budget.Use(settings)
	return check.Shard{Target: t, IDs: f.shardIDs, Seed: f.seed, Timeout: f.timeout, Report: f.shardReport}.Run(ctx)
}

func (f *checkFlags) shardTarget(ctx context.Context) (cluster.Cluster, error) {
	if f.cluster == "" {
		return f.control.open(ctx, f.kubeconfig, "", f.fault)
	}
	p, err := containers.New(ctx)
	if err != nil {
		return nil, err
	}
	return p.Find(ctx, f.cluster, f.fault)
}
