package merged

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
)

// resultsOf all shards, with their evidence out of its files: the merged report writes its own. One that several shards had keeps the evidence of all,
// and the worse outcome.
func resultsOf(shards []shard) ([]verdict.Result, error) {
	var all []verdict.Result
	for _, s := range shards {
		for _, r := range s.Results {
			if r.Outcome == verdict.Missing {
				continue // another shard may have it; when none has, it is missing again
			}
			var err error
			if r.Evidence, err = evidenceOf(s, r); err != nil {
				return nil, err
			}
			i := slices.IndexFunc(all, func(other verdict.Result) bool { return other.ID == r.ID })
			if i < 0 {
				all = append(all, r)
				continue
			}
			evidence := append(all[i].Evidence, r.Evidence...)
			all[i] = verdict.Worse(all[i], r)
			all[i].Evidence = evidence
		}
	}
	return all, nil
}

func evidenceOf(s shard, r verdict.Result) ([]verdict.Evidence, error) {
	var all []verdict.Evidence
	for _, e := range r.Evidence {
		text, err := report.Open(s.dir, e)
		if err != nil {
			return nil, fmt.Errorf("%s: evidence of %s: %w", s.dir, r.ID, err)
		}
		all = append(all, verdict.Evidence{Name: e.Name, Text: string(text)})
	}
	return all, nil
}

// keep copies what the shards kept of their clusters, and their logs, into a folder for each, and returns those.
func (m Merge) keep(shards []shard) (kept []string, err error) {
	for _, s := range shards {
		from, err := report.Beside(s.dir, s.Kept)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.dir, err)
		}
		folder := filepath.Join(m.Out, fmt.Sprintf("shard-%d-of-%d", s.index, s.n))
		for _, path := range from {
			data, err := os.ReadFile(filepath.Join(s.dir, path))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.dir, err)
			}
			to := filepath.Join(folder, path)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return nil, fmt.Errorf("--report-dir: %w", err)
			}
			if err := os.WriteFile(to, data, 0o644); err != nil {
				return nil, fmt.Errorf("--report-dir: %w", err)
			}
		}
		if len(from) > 0 {
			kept = append(kept, folder)
		}
	}
	return kept, nil
}

// told are the gaps, overlaps and contradictions, a line each.
func told(shards []shard, results []verdict.Result) (lines []string) {
	var absent []string
	for i := range shards[0].n {
		if !slices.ContainsFunc(shards, func(s shard) bool { return s.index == i+1 }) {
			absent = append(absent, fmt.Sprintf("%d/%d", i+1, shards[0].n))
		}
	}
	if len(absent) > 0 {
		lines = append(lines, fmt.Sprintf("not given: shard %s; what only that had is missing, and not passed", strings.Join(absent, ", ")))
	}
	var gaps []string
	for _, r := range results {
		var had, outcomes []string
		for _, s := range shards {
			for _, other := range s.Results {
				if other.ID == r.ID {
					had, outcomes = append(had, s.Run.Shard), append(outcomes, string(other.Outcome))
				}
			}
		}
		switch {
		case len(had) == 0 && len(absent) == 0:
			gaps = append(gaps, r.ID)
		case len(had) > 1 && len(slices.Compact(slices.Clone(outcomes))) > 1:
			lines = append(lines, fmt.Sprintf("%s is in shards %s, which contradict each other (%s): %s counts", r.ID, strings.Join(had, ", "), strings.Join(outcomes, ", "), r.Outcome))
		case len(had) > 1:
			lines = append(lines, fmt.Sprintf("%s is in shards %s", r.ID, strings.Join(had, ", ")))
		}
	}
	if len(gaps) > 0 {
		lines = append(lines, "in no shard: "+strings.Join(gaps, ", "))
	}
	return lines
}
