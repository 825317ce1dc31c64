package merged_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/audit"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/merged"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/reporttest"
)

// part is a shard of a run over profile ha: the requirements whose number leaves i, with a log of its own.
type part struct {
	i, n  int
	alter func(*record.Report)
	// results alters what was found.
	results func([]verdict.Result) []verdict.Result
}

func (p part) write(t *testing.T) string {
	t.Helper()
	var mine []verdict.Result
	for k, r := range reporttest.Results(t, "ha") {
		if k%p.n == p.i-1 {
			mine = append(mine, r)
		}
	}
	if p.results != nil {
		mine = p.results(mine)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "shard-1.log")
	if err := os.WriteFile(log, []byte(fmt.Sprint("log of ", p.i)), 0o644); err != nil {
		t.Fatal(err)
	}
	r := reporttest.Report(t, func(r *record.Report) {
		r.Run.Shard = fmt.Sprintf("%d/%d", p.i, p.n)
		for _, m := range mine {
			r.Run.Selected = append(r.Run.Selected, m.ID)
		}
		if p.alter != nil {
			p.alter(r)
		}
	}, mine...)
	if err := report.Write(dir, r); err != nil {
		t.Fatal(err)
	}
	return dir
}

func outcome(o verdict.Outcome) func([]verdict.Result) []verdict.Result {
	return func(r []verdict.Result) []verdict.Result { r[1].Outcome = o; return r }
}

// and adds the first requirement of shard 1/3, with an outcome.
func and(t *testing.T, o verdict.Outcome) func([]verdict.Result) []verdict.Result {
	return func(r []verdict.Result) []verdict.Result {
		other := reporttest.Results(t, "ha")[0]
		other.Outcome = o
		return append(r, other)
	}
}

func TestShardsBecomeOneReportThatIsTrusted(t *testing.T) {
	own := func(r *record.Report) { r.Environment.Target.UID = "u-2" }
	for name, row := range map[string]struct {
		parts []part
		shape bool
		text  string
		told  string
		exit  int
	}{
		"all passed":            {[]part{{i: 1, n: 3}, {i: 2, n: 3}, {i: 3, n: 3}}, false, "CONFORMANT: 24 of 24 requirements passed", "", 0},
		"in any order":          {[]part{{i: 3, n: 3}, {i: 1, n: 3}, {i: 2, n: 3}}, false, "CONFORMANT: 24 of 24 requirements passed", "", 0},
		"one shard is all":      {[]part{{i: 1, n: 1}}, false, "CONFORMANT: 24 of 24 requirements passed", "", 0},
		"one failed":            {[]part{{i: 1, n: 2}, {i: 2, n: 2, results: outcome(verdict.Failed)}}, false, "NOT CONFORMANT: 23 of 24 requirements passed", "", 1},
		"a shard is missing":    {[]part{{i: 1, n: 3}, {i: 3, n: 3}}, false, "INCONCLUSIVE: 16 of 24 requirements passed", "not given: shard 2/3; what only that had is missing, and not passed", 3},
		"a gap":                 {[]part{{i: 1, n: 2}, {i: 2, n: 2, results: func(r []verdict.Result) []verdict.Result { return r[1:] }}}, false, "INCONCLUSIVE: 23 of 24 requirements passed", "in no shard: HA-002", 3},
		"an overlap":            {[]part{{i: 1, n: 2}, {i: 2, n: 2, results: and(t, verdict.Passed)}}, false, "CONFORMANT: 24 of 24 requirements passed", "HA-001 is in shards 1/2, 2/2", 0},
		"a contradiction":       {[]part{{i: 1, n: 2}, {i: 2, n: 2, results: and(t, verdict.Failed)}}, false, "NOT CONFORMANT: 23 of 24", "HA-001 is in shards 1/2, 2/2, which contradict each other (passed, failed): failed counts", 1},
		"a doubt of one is all": {[]part{{i: 1, n: 2}, {i: 2, n: 2, alter: func(r *record.Report) { r.Doubts = []verdict.Doubt{{Text: "interrupted"}} }}}, false, "INCONCLUSIVE: shard 2/2: interrupted: 24 of 24", "", 3},
		"clusters of one shape": {[]part{{i: 1, n: 2}, {i: 2, n: 2, alter: own}}, true, "CONFORMANT: 24 of 24", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := merged.Merge{Out: filepath.Join(t.TempDir(), "out"), SameShape: row.shape}
			for _, p := range row.parts {
				m.Dirs = append(m.Dirs, p.write(t))
			}
			r, lines, err := m.Do(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if told := strings.Join(lines, "\n"); r.Exit != row.exit || !strings.HasPrefix(r.Text, row.text) || told != row.told {
				t.Errorf("exit %d, %q, told %q", r.Exit, r.Text, told)
			}
			a, err := audit.Of(t.Context(), m.Out)
			if err != nil || len(a.Findings) > 0 || a.Verdict.Exit != row.exit || len(a.Report.Parts) != len(row.parts) {
				t.Fatalf("the merged report is not trusted: %v, %+v", err, a)
			}
			for _, p := range row.parts {
				log, err := os.ReadFile(filepath.Join(m.Out, fmt.Sprintf("shard-%d-of-%d/shard-1.log", p.i, p.n)))
				if err != nil || string(log) != fmt.Sprint("log of ", p.i) {
					t.Errorf("log of shard %d: %q, %v", p.i, log, err)
				}
			}
			if want := len(row.parts); row.told == "" && (want != len(m.Dirs) || a.Histories == 0) {
				t.Errorf("%d histories came along", a.Histories)
			}
		})
	}
}

// TestWhatIsNotOfOneRunIsRefused in one line, and nothing is written.
func TestWhatIsNotOfOneRunIsRefused(t *testing.T) {
	first := part{i: 1, n: 2}
	second := func(alter func(*record.Report)) []part { return []part{first, {i: 2, n: 2, alter: alter}} }
	for name, row := range map[string]struct {
		parts []part
		shape bool
		spoil func(t *testing.T, dir string)
		want  string
	}{
		"a shard twice":   {parts: []part{first, {i: 2, n: 2}, first}, want: "are both shard 1/2; give each shard once"},
		"another number":  {parts: []part{first, {i: 2, n: 3}}, want: `the number of shards: "2" and "3"`},
		"another target":  {parts: second(func(r *record.Report) { r.Environment.Target.UID = "u-2" }), want: "judged different clusters: UIDs u-1 and u-2; if each shard"},
		"another version": {parts: second(func(r *record.Report) { r.Environment.Target.Kubernetes = "v1.36.0" }), shape: true, want: "the shape of the cluster"},
		"another shape":   {parts: second(func(r *record.Report) { r.Environment.Nodes = []record.Node{} }), shape: true, want: "1 control planes, 0 workers\" and"},
		"another pace":    {parts: second(func(r *record.Report) { r.Settings[5].Value = "5000ms" }), want: `balancerNotices: 5s" and "`},
		"no shard":        {parts: []part{{i: 1, n: 1, alter: func(r *record.Report) { r.Run.Shard, r.Run.Selected = "", nil }}}, want: "is no report of a shard: give those of plumb check --shard i/n"},
		"an edited report": {parts: []part{first}, spoil: func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "shard-1.log"), []byte("other"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, want: "shard-1.log: was edited or cut short after the run"},
	} {
		t.Run(name, func(t *testing.T) {
			m := merged.Merge{Out: filepath.Join(t.TempDir(), "out"), SameShape: row.shape}
			for _, p := range row.parts {
				dir := p.write(t)
				m.Dirs = append(m.Dirs, dir)
				if row.spoil != nil {
					row.spoil(t, dir)
				}
			}
			_, _, err := m.Do(t.Context())
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, row.want)
			}
			if _, err := os.Stat(m.Out); err == nil {
				t.Error("something was written")
			}
		})
	}
	dir := first.write(t)
	if _, _, err := (merged.Merge{Dirs: []string{dir}, Out: dir}).Do(t.Context()); err == nil || !strings.Contains(err.Error(), "is one of the shards") {
		t.Errorf("into itself: %v", err)
	}
}
