// Package merged makes one report of the shards of a run, as a CI matrix runs them.
//
// It owns which reports belong together, and what becomes of gaps, overlaps and contradictions: nothing that is missing is passed, and the worse
// of two outcomes counts. The verdict is package verdict's, the folder report's. It is fed folders by plumb merge, takes only what package audit
// trusts, and changes none of them.
package merged

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/leadership"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/audit"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// Merge is what to do.
type Merge struct {
	// Dirs hold the shards' reports, Out gets the merged one.
	Dirs []string
	Out  string
	// SameShape lets each shard have judged a cluster of its own, if all are of one version and of as many nodes of each role.
	SameShape bool
}

// shard is one part, and where it is from.
type shard struct {
	*record.Report
	dir      string
	index, n int
}

func (s shard) name() string { return "shard " + s.Run.Shard }

// Do merges and writes. It returns the merged report, and a line for each gap, overlap and contradiction. An error, of one line, means that the
// reports cannot be merged; then nothing was written.
func (m Merge) Do(ctx context.Context) (*record.Report, []string, error) {
	shards, err := m.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	wanted, selected, err := due(shards[0].Report)
	if err != nil {
		return nil, nil, err
	}
	results, err := resultsOf(shards)
	if err != nil {
		return nil, nil, err
	}
	out := m.joined(shards)
	out.Run.Selected = selected
	out.Verdict = verdict.Judge(wanted, results, selected, doubts(shards)...)
	out.Leadership = led(shards, out.Results)
	out.Count(wanted)
	if err := report.Clear(m.Out); err != nil {
		return nil, nil, fmt.Errorf("--report-dir: %w", err)
	}
	if out.Kept, err = m.keep(shards); err != nil {
		return nil, nil, err
	}
	return out, told(shards, out.Results), report.Write(m.Out, out)
}

// read takes the reports that can be trusted and belong together, in the order of the shards.
func (m Merge) read(ctx context.Context) ([]shard, error) {
	var shards []shard
	for _, dir := range m.Dirs {
		if same(dir, m.Out) {
			return nil, fmt.Errorf("--report-dir %s is one of the shards: the merged report needs a folder of its own", m.Out)
		}
		a, err := audit.Of(ctx, dir)
		if err != nil {
			return nil, err
		}
		if len(a.Findings) > 0 {
			return nil, fmt.Errorf("%s (%d in all: plumb verify %s tells them)", a.Findings[0], len(a.Findings), dir)
		}
		s := shard{Report: a.Report, dir: dir}
		if _, err := fmt.Sscanf(s.Run.Shard, "%d/%d", &s.index, &s.n); err != nil {
			return nil, fmt.Errorf("%s is no report of a shard: give those of plumb check --shard i/n", dir)
		}
		shards = append(shards, s)
	}
	slices.SortStableFunc(shards, func(a, b shard) int { return cmp.Compare(a.index, b.index) })
	for i, s := range shards[1:] {
		if err := m.fits(shards[i], s); err != nil {
			return nil, err
		}
	}
	return shards, nil
}

// fits tells why two reports are not of one run.
func (m Merge) fits(a, b shard) error {
	for _, f := range []struct{ what, a, b string }{
		{"the number of shards", fmt.Sprint(a.n), fmt.Sprint(b.n)},
		{"profiles", profiles(a.Report), profiles(b.Report)},
		{"focus", a.Run.Focus, b.Run.Focus},
		{"settings", settings(a.Report), settings(b.Report)},
		{"the shape of the cluster", shape(a.Report), shape(b.Report)},
	} {
		if f.a != f.b {
			return fmt.Errorf("%s and %s are not of one run: %s: %q and %q; merge the shards of one run only", a.dir, b.dir, f.what, f.a, f.b)
		}
	}
	if ua, ub := a.Environment.Target.UID, b.Environment.Target.UID; ua != ub && !m.SameShape {
		return fmt.Errorf("%s and %s judged different clusters: UIDs %s and %s; if each shard has booted a cluster of its own of the same shape, say so with --same-shape", a.dir, b.dir, ua, ub)
	}
	if a.index == b.index {
		return fmt.Errorf("%s and %s are both %s; give each shard once", a.dir, b.dir, a.name())
	}
	return nil
}

func profiles(r *record.Report) string { return strings.Join(r.ProfileNames(), ", ") }

// settings by value: where each is from may differ.
func settings(r *record.Report) string {
	var all []string
	for _, s := range r.Settings {
		all = append(all, s.Name+": "+s.Value)
	}
	return strings.Join(all, ", ")
}

// shape is the version of Kubernetes, and how many nodes of each role.
func shape(r *record.Report) string {
	roles := map[string]int{}
	for _, n := range r.Environment.Nodes {
		roles[n.Role]++
	}
	return fmt.Sprintf("Kubernetes %s, %d control planes, %d workers", r.Environment.Target.Kubernetes, roles["control-plane"], roles["worker"])
}

// due are the requirements that the shards were to run together, and which of them a focus left; nil is all.
func due(r *record.Report) (wanted []verdict.Requirement, selected []string, err error) {
	wanted, err = verdict.Of(r.ProfileNames()...)
	if err == nil && r.Run.Focus != "" {
		selected, err = verdict.Matching(wanted, r.Run.Focus)
	}
	return wanted, selected, err
}

// joined is the report without its results: what all shards share, and from when to when they ran.
func (m Merge) joined(shards []shard) *record.Report {
	out := *shards[0].Report
	out.Run.Shard, out.Run.Flags = "", []string{}
	for _, flag := range shards[0].Run.Flags {
		if !strings.HasPrefix(flag, "--shard=") && !strings.HasPrefix(flag, "--report-dir=") {
			out.Run.Flags = append(out.Run.Flags, flag)
		}
	}
	for _, s := range shards {
		if s.Run.Began.Before(out.Run.Began) {
			out.Run.Began = s.Run.Began
		}
		if s.Run.Ended.After(out.Run.Ended) {
			out.Run.Ended = s.Run.Ended
		}
		out.Parts = append(out.Parts, record.Part{Folder: s.dir, Shard: s.Run.Shard, Text: s.Text, Exit: s.Exit, UID: s.Environment.Target.UID, Seed: s.Run.Seed})
	}
	return &out
}

func doubts(shards []shard) (all []verdict.Doubt) {
	for _, s := range shards {
		for _, d := range s.Doubts {
			all = append(all, verdict.Doubt{Text: s.name() + ": " + d.Text, Outranks: d.Outranks})
		}
	}
	return all
}

// led joins who led. What no fault of its own shard explains, one of another shard on the same cluster may.
func led(shards []shard, results []verdict.Result) *verdict.Leadership {
	var observed []string
	var changes []verdict.LeaderChange
	one, looked := true, false
	for _, s := range shards {
		one = one && s.Environment.Target.UID == shards[0].Environment.Target.UID
		if s.Leadership == nil {
			continue
		}
		looked = true
		changes = append(changes, s.Leadership.Changes...)
		for _, name := range s.Leadership.Observed {
			if !slices.Contains(observed, name) {
				observed = append(observed, name)
			}
		}
	}
	if !looked {
		return nil
	}
	slices.SortStableFunc(changes, func(a, b verdict.LeaderChange) int { return a.At.Compare(b.At) })
	if one {
		return leadership.Explain(observed, changes, results)
	}
	return &verdict.Leadership{Observed: observed, Changes: changes, Unexplained: verdict.Unexplained(changes)}
}

func same(a, b string) bool {
	x, err := filepath.Abs(a)
	y, err2 := filepath.Abs(b)
	return err == nil && err2 == nil && x == y
}
