package page

import (
	"strings"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

func TestClean(t *testing.T) {
	for name, row := range map[string]struct{ in, want string }{
		"colours go":            {"\x1b[1;31mred\x1b[0m plain", "red plain"},
		"lines stay":            {"a\r\n\tb\n\n", "a\n\tb"},
		"a bell is told":        {"a\ab", `a\u0007b`},
		"an escape is told":     {"a\x1bb", `a\u001bb`},
		"an override is told":   {"a\u202eb", `a\u202eb`},
		"what is no text":       {"a\xffb", "a\uFFFDb"},
		"other writing is left": {"Ω 漢 →", "Ω 漢 →"},
	} {
		if got := clean(row.in); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

func TestSeconds(t *testing.T) {
	for in, want := range map[float64]string{0: "0 s", 0.0042: "4.2 ms", 0.4123: "412 ms", 0.996: "1 s", 4: "4 s", 4.26: "4.3 s", 120: "2 min", 99.96: "1 min 40 s", 871.4: "14 min 31 s", 7322: "2 h 02 min"} {
		if got := seconds(in); got != want {
			t.Errorf("%v: got %q, want %q", in, got, want)
		}
	}
}

func TestHeadline(t *testing.T) {
	wanted := []verdict.Requirement{{ID: "A-1", Profile: "a"}, {ID: "A-2", Profile: "a"}}
	result := func(id string, o verdict.Outcome) verdict.Result { return verdict.Result{ID: id, Outcome: o} }
	for name, row := range map[string]struct {
		ran      []verdict.Result
		selected []string
		doubts   []verdict.Doubt
		word     string
		tone     verdict.Outcome
		tells    string
	}{
		"all passed":   {[]verdict.Result{result("A-1", verdict.Passed), result("A-2", verdict.Passed)}, nil, nil, "Conformant", verdict.Passed, "All 2 requirements passed"},
		"one failed":   {[]verdict.Result{result("A-1", verdict.Failed), result("A-2", verdict.Inconclusive)}, nil, nil, "Not conformant", verdict.Failed, "1 of 2 requirements failed, 1 proved nothing."},
		"one missing":  {[]verdict.Result{result("A-1", verdict.Passed)}, nil, nil, "Inconclusive", verdict.Inconclusive, "Nothing failed, but 1 of 2 requirements passed, 1 did not run"},
		"nothing ran":  {nil, nil, nil, "Inconclusive", verdict.Inconclusive, "Nothing ran"},
		"doubtful":     {[]verdict.Result{result("A-1", verdict.Passed), result("A-2", verdict.Passed)}, nil, []verdict.Doubt{{Text: "interrupted"}}, "Inconclusive", verdict.Inconclusive, "and yet the run proves nothing"},
		"partial":      {[]verdict.Result{result("A-1", verdict.Passed)}, []string{"A-1"}, nil, "Partial run", verdict.Passed, "of 2 required, 1. That is a count and no verdict"},
		"partial, bad": {[]verdict.Result{result("A-1", verdict.Failed)}, []string{"A-1"}, nil, "Partial run", verdict.Failed, "1 of 1 requirement failed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &record.Report{Verdict: verdict.Judge(wanted, row.ran, row.selected, row.doubts...)}
			r.Count(wanted)
			h := headlineOf(r)
			if h.Word != row.word || h.Tone != row.tone || !strings.Contains(h.Tells, row.tells) {
				t.Errorf("got %+v", h)
			}
			r.Run.Began, r.Run.Ended = began, began.Add(time.Second)
			written(t, r)
		})
	}
}
