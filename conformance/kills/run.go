package kills

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/plumb-k8s/plumb/conformance/cluster/containers"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Config of a run.
type Config struct {
	// Root is the module's, with programs made in .build/bin.
	Root   string
	Images Images
	// Cluster names the clusters that are booted.
	Cluster string
	// Dir gets a folder for each mutant, and the matrix of this run.
	Dir string
	// Kept is the folder of the matrix that is kept, in which a row is renewed as soon as its mutant was run.
	Kept string
	Out  io.Writer
}

// Run builds one mutant after another, each while the one before it runs, and checks its requirements; it returns a row for each. Before the first
// mutant of a ground, the requirements of all its mutants must pass there on the orchestrator as it is: one that does not can kill nothing.
func Run(ctx context.Context, cfg Config, mutants []Mutant) ([]Row, error) {
	all, err := Load(cfg.Root)
	if err != nil {
		return nil, err
	}
	provider, err := containers.New(ctx)
	if err != nil {
		return nil, err
	}
	defer provider.Close()
	r := &runner{Config: cfg, all: all, provider: provider, began: time.Now()}
	defer r.leave()
	// Grounds are taken one after another, since their clusters share the machine.
	slices.SortStableFunc(mutants, func(a, b Mutant) int { return order(a) - order(b) })
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	built := make(chan product)
	go r.build(ctx, mutants, built)
	for p := range built {
		if err := r.enter(ctx, p.mutant, mutants); err != nil {
			return r.rows, err
		}
		r.judge(ctx, p)
		if err := r.save(); err != nil {
			return r.rows, err
		}
	}
	return r.rows, ctx.Err()
}

// order of grounds; mutants with a cluster of their own come last on theirs.
func order(m Mutant) int {
	n := 2 * slices.Index([]string{onPlane, small, ha}, groundOf(m))
	if n > 0 && !slices.Contains(swapped, m.Component) {
		n++
	}
	return n
}

type runner struct {
	Config
	// all mutants that are declared: rows of others leave the kept matrix.
	all      []Mutant
	provider *containers.Provider
	began    time.Time
	// on is the ground that is in use, and fit what passes there.
	on   string
	fit  map[string]bool
	held ground
	rows []Row
}

// product is a mutant that was built, or why it was not.
type product struct {
	mutant  Mutant
	program string
	dir     string
	err     error
}

func (r *runner) build(ctx context.Context, mutants []Mutant, built chan<- product) {
	defer close(built)
	for _, m := range mutants {
		p := product{mutant: m, dir: filepath.Join(r.Dir, m.Name)}
		if p.err = os.MkdirAll(p.dir, 0o755); p.err == nil {
			p.program, p.err = m.build(ctx, r.Root, p.dir)
		}
		select {
		case <-ctx.Done():
			return
		case built <- p:
		}
	}
}

func (r *runner) say(format string, args ...any) {
	fmt.Fprintf(r.Out, "%6.0fs  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

func (r *runner) leave() {
	if r.held != nil {
		r.held.close()
	}
}

// enter makes the mutant's ground the one in use, and finds out what passes there without a mutant.
func (r *runner) enter(ctx context.Context, m Mutant, all []Mutant) error {
	name := groundOf(m)
	if r.on == name {
		return nil
	}
	r.leave()
	held, err := r.open(name)
	if err != nil {
		return err
	}
	r.on, r.fit, r.held = name, map[string]bool{}, held
	var ids []string
	for _, other := range all {
		if groundOf(other) == name {
			ids = append(ids, other.Kills...)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	r.say("%s: %d requirements on the orchestrator as it is", name, len(ids))
	dir := filepath.Join(r.Dir, "unmutated-"+filepath.Base(name))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	results, err := held.run(ctx, nil, "", ids, dir)
	if err != nil {
		return fmt.Errorf("without a mutant: %w", err)
	}
	for _, result := range results {
		r.fit[result.ID] = result.Outcome == verdict.Passed
		if !r.fit[result.ID] {
			r.say("%s %s without a mutant: it can kill nothing", result.ID, result.Outcome)
		}
	}
	return nil
}

func (r *runner) open(name string) (ground, error) {
	bin, err := filepath.Abs(filepath.Join(r.Root, ".build/bin"))
	if err != nil {
		return nil, err
	}
	overrides, err := filepath.Abs(filepath.Join(r.Dir, "overrides"))
	if err != nil {
		return nil, err
	}
	c := checker{plumb: filepath.Join(bin, "plumb")}
	if name == onPlane {
		return planes{c, filepath.Join(bin, "control")}, nil
	}
	return &clusters{
		checker: c, provider: r.provider, shape: filepath.Join(r.Root, name), images: r.Images, bin: bin, overrides: overrides, name: r.Cluster, out: r.Out,
	}, nil
}

// judge runs a mutant and notes what became of its requirements.
func (r *runner) judge(ctx context.Context, p product) {
	began := time.Now()
	row := Row{Mutant: p.mutant, Outcomes: map[string]verdict.Outcome{}}
	if p.err != nil {
		row.Trouble = p.err.Error()
	} else {
		path, err := filepath.Abs(p.program)
		var results []verdict.Result
		if err == nil {
			results, err = r.held.run(ctx, &p.mutant, path, p.mutant.Kills, p.dir)
		}
		if err != nil {
			row.Trouble = err.Error()
		}
		for _, result := range results {
			row.Outcomes[result.ID] = result.Outcome
			row.Killed = row.Killed || result.Outcome == verdict.Failed && r.fit[result.ID]
		}
		_ = os.Remove(p.program) // it can be built again, and is large
	}
	row.Seconds = time.Since(began).Seconds()
	r.rows = append(r.rows, row)
	r.say("%-32s %s in %.0f s", p.mutant.Name, row.fate(), row.Seconds)
}

// save writes the matrix as it is so far, and renews the kept one: what was seen outlives a run that is cut short.
func (r *runner) save() error {
	if err := (Matrix{Rows: r.rows}).Write(r.Dir); err != nil {
		return err
	}
	kept, err := ReadMatrix(r.Kept)
	if err != nil {
		return err
	}
	return kept.With(r.rows, r.all).Write(r.Kept)
}
