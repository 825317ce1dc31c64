package check

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

func testProgress(terminal bool) (*progress, *bytes.Buffer, func(time.Duration)) {
	var out bytes.Buffer
	p := newProgress(&out, []verdict.Requirement{{ID: "NODE-001", Text: "First things first."}, {ID: "NODE-002", Text: "Then the rest."}}, 2)
	at := time.Unix(0, 0)
	p.now, p.said, p.terminal = func() time.Time { return at }, at, terminal
	return p, &out, func(d time.Duration) { at = at.Add(d) }
}

func TestProgressNamesEachSpecWithItsTimeAndSentence(t *testing.T) {
	p, out, _ := testProgress(false)
	p.take(event{Began: "NODE-001"})
	p.take(event{Result: &verdict.Result{ID: "NODE-001", Outcome: verdict.Passed, Seconds: 4.21}})
	if got, want := out.String(), "[1/2] passed       NODE-001      4.2 s  First things first.\n"; got != want {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
}

func TestProgressShowsWhatAFailedSpecKept(t *testing.T) {
	p, out, _ := testProgress(false)
	p.take(event{Result: &verdict.Result{
		ID: "NODE-002", Outcome: verdict.Failed, Message: "pod web is Pending\nnot Ready",
		Evidence: []verdict.Evidence{{Name: verdict.Objects, Text: "Pod web Pending"}, {Name: verdict.Events, Text: strings.Repeat("old\n", 30) + "Warning Failed"}, {Name: "pods", Text: "apiVersion: v1"}},
	}})
	got := out.String()
	for _, want := range []string{"failed", "    pod web is Pending\n    not Ready\n", "  objects:\n    Pod web Pending\n", "    Warning Failed\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "apiVersion") || strings.Count(got, "old") != shown-1 {
		t.Errorf("more is printed than people read:\n%s", got)
	}
}

func TestOnlyATerminalGetsColourAndAMovingLine(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		p, out, step := testProgress(terminal)
		p.take(event{Began: "NODE-001"})
		step(2 * time.Second)
		p.tick()
		p.take(event{Result: &verdict.Result{ID: "NODE-001", Outcome: verdict.Failed}})
		if got := strings.Contains(out.String(), "\x1b["); got != terminal {
			t.Errorf("terminal %t: escape codes %t in %q", terminal, got, out)
		}
		if moving := strings.Contains(out.String(), "0 of 2 done; running NODE-001 (2 s)"); moving != terminal {
			t.Errorf("terminal %t: state line %t in %q", terminal, moving, out)
		}
	}
}

func TestALongSilenceIsBroken(t *testing.T) {
	p, out, step := testProgress(false)
	p.take(event{Began: "NODE-002"})
	step(quiet - time.Second)
	p.tick()
	if out.Len() > 0 {
		t.Fatalf("too early: %q", out)
	}
	step(time.Second)
	p.tick()
	p.tick()
	if got, want := out.String(), "0 of 2 done; running NODE-002 (30 s)\n"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestEventsOfAKilledShardAreKept(t *testing.T) {
	var taken []event
	err := events(strings.NewReader(`{"began":"NODE-001"}`+"\n"+`{"result":{"id":"NODE-001","outcome":"passed"}}`+"\n"+`{"result":{"id":"NO`), func(e event) { taken = append(taken, e) })
	if err != nil || len(taken) != 2 || taken[1].Result.Outcome != verdict.Passed {
		t.Fatalf("%v, %v", taken, err)
	}
	if err := events(strings.NewReader(`{}`), func(event) {}); err == nil {
		t.Fatal("an event that says nothing was taken")
	}
}
