package page

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

func mark(seconds float64, kind verdict.Kind, subject string) verdict.Mark {
	return verdict.Mark{At: after(seconds), Kind: kind, Subject: subject}
}

// minute is a scale of a minute whose fault is injected after ten seconds.
var minute = scale{from: began, until: after(60), zero: after(10), span: time.Minute}

func TestFaultsHaveARowForEachLife(t *testing.T) {
	const kill, cut = "kill etcd", "cut one from two"
	for name, row := range map[string]struct {
		marks []verdict.Mark
		want  []string
	}{
		"a whole life": {[]verdict.Mark{mark(10, verdict.Injected, kill), mark(12, verdict.Witnessed, kill), mark(30, verdict.Healing, kill), mark(33, verdict.Healed, kill)}, []string{"kill etcd: taking effect healing"}},
		"at once":      {[]verdict.Mark{mark(10, verdict.Injected, kill), mark(11, verdict.Injected, cut), mark(12, verdict.Witnessed, kill), mark(13, verdict.Healed, cut), mark(14, verdict.Healed, kill)}, []string{"kill etcd: taking effect", "cut one from two: taking"}},
		"twice":        {[]verdict.Mark{mark(10, verdict.Injected, kill), mark(12, verdict.Healed, kill), mark(20, verdict.Injected, kill), mark(22, verdict.Witnessed, kill)}, []string{"kill etcd: taking", "kill etcd: taking effect (open)"}},
		"never seen":   {[]verdict.Mark{mark(10, verdict.Injected, kill)}, []string{"kill etcd: taking (open)"}},
		"no fault":     {[]verdict.Mark{mark(10, verdict.Phase, "before"), mark(12, verdict.Leader, "etcd")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			y := 0
			var got []string
			for _, f := range faultsOf(minute, row.marks, &y) {
				states := []string{f.Name + ":"}
				for _, p := range f.Parts {
					states = append(states, p.State)
				}
				if f.Open {
					states = append(states, "(open)")
				}
				got = append(got, strings.Join(states, " "))
			}
			if !slices.Equal(got, row.want) || y != faultHeight*len(row.want) {
				t.Errorf("got %q down to %d, want %q", got, y, row.want)
			}
		})
	}
}

func TestNoFailedCallIsLeftOut(t *testing.T) {
	var l verdict.Lane
	for i := range 9000 {
		outcome := []string{"ok", "ok", "failed", "unknown", "never heard of"}[i%5]
		l.Calls = append(l.Calls, verdict.Call{At: after(float64(i) / 150), Took: .001, Outcome: outcome})
	}
	got := laneOf(minute, l, 0)
	if got.Failed.N != 3600 || got.Unknown.N != 1800 || got.OK.N != 3600 || got.Thinned != 3600-laneDots {
		t.Errorf("%d failed, %d unknown, %d answered of which %d are not drawn", got.Failed.N, got.Unknown.N, got.OK.N, got.Thinned)
	}
	for name, d := range map[string]dots{"failed": got.Failed, "unknown": got.Unknown} {
		// 60 s on 2,000 places: no two calls of an outcome are so near that they share all of them
		if n := strings.Count(d.Path, "M"); n < 1200 {
			t.Errorf("%d dots are drawn of %d %s calls", n, d.N, name)
		}
	}
	alone := laneOf(minute, verdict.Lane{Calls: []verdict.Call{{At: after(30), Took: 3, Outcome: "failed"}}}, 0)
	if alone.Failed.Path != "M1000 8h100" {
		t.Errorf("a call of 3 s in the middle of a minute is drawn as %s", alone.Failed.Path)
	}
}

func TestLeaderChangesOfTheRunAreShownOnce(t *testing.T) {
	own := []verdict.Mark{mark(20, verdict.Leader, "etcd")}
	changes := []verdict.LeaderChange{{At: after(21), Subject: "etcd", To: "two"}, {At: after(15), Subject: "kube-scheduler", From: "one", To: "two"}}
	got := marksOf(own, changes)
	if len(got) != 2 || got[0].Subject != "kube-scheduler" || got[0].Text != "one → two" || got[1].Subject != "etcd" {
		t.Errorf("got %+v", got)
	}
}

func TestTicksAreFewAndRound(t *testing.T) {
	for name, row := range map[string]struct {
		long time.Duration
		want string
	}{
		"a moment":  {400 * time.Millisecond, "0 100 ms 200 ms 300 ms 400 ms"},
		"a minute":  {time.Minute, "0 20 s 40 s 60 s"},
		"a quarter": {15 * time.Minute, "0 5:00 10:00 15:00"},
	} {
		s := scale{from: began, until: began.Add(row.long), zero: began, span: row.long}
		var labels []string
		for _, tick := range s.ticks() {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != row.want {
			t.Errorf("%s: got %s, want %s", name, got, row.want)
		}
	}
	if got := minute.ticks()[0]; got.Label != "0" || got.X != "16.67%" {
		t.Errorf("the first tick is %+v, want 0 at the fault", got)
	}
}

func TestATimelineWithNothingInItIsNotDrawn(t *testing.T) {
	if c := chartOf(verdict.Result{Timeline: &verdict.Timeline{}}, nil); c != nil {
		t.Errorf("got %+v", c)
	}
}
