package check

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// TestMain lets this executable be the shard of its own tests, as plumb is of itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "fake-shard" || os.Args[1] == "dying-shard") {
		fakeShard(os.Args[1] == "dying-shard")
		return
	}
	os.Exit(m.Run())
}

// fakeShard passes A-1, begins A-2, and dies or waits to be told to end.
func fakeShard(dies bool) {
	stop := make(chan os.Signal, 8)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	report, err := os.OpenFile(os.Args[slices.Index(os.Args, "--shard-report")+1], os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	say := func(e event) {
		if err := json.NewEncoder(report).Encode(e); err != nil {
			panic(err)
		}
	}
	say(event{Began: "A-1"})
	say(event{Result: &verdict.Result{ID: "A-1", Outcome: verdict.Passed}})
	say(event{Began: "A-2"})
	if dies {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	heard := <-stop
	say(event{Result: &verdict.Result{ID: "A-2", Outcome: verdict.Inconclusive, Message: heard.String()}})
}

// runFake runs a fake shard until its events end; began is called when its second spec begins.
func runFake(ctx context.Context, t *testing.T, kind string, began func()) (map[string]verdict.Result, error) {
	t.Helper()
	results := map[string]verdict.Result{}
	r := Run{Dir: t.TempDir(), Out: io.Discard, ShardArgs: []string{kind}}
	err := r.shard(ctx, "1", []string{"A-1", "A-2"}, "kubeconfig", func(e event) {
		switch {
		case e.Result != nil:
			results[e.Result.ID] = *e.Result
		case e.Began == "A-2":
			began()
		}
	})
	return results, err
}

func TestAnInterruptedShardReportsBeforeItEnds(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	results, err := runFake(ctx, t, "fake-shard", interrupt)
	if err == nil {
		t.Error("an interruption is not told")
	}
	if results["A-1"].Outcome != verdict.Passed || results["A-2"].Outcome != verdict.Inconclusive || results["A-2"].Message != syscall.SIGTERM.String() {
		t.Fatalf("got %+v", results)
	}
}

func TestAKilledShardLeavesWhatItHadReported(t *testing.T) {
	results, err := runFake(t.Context(), t, "dying-shard", func() {})
	if err == nil {
		t.Error("the death of a shard is not told")
	}
	if len(results) != 1 || results["A-1"].Outcome != verdict.Passed {
		t.Fatalf("got %+v", results)
	}
	v := verdict.Judge([]verdict.Requirement{{ID: "A-1"}, {ID: "A-2"}}, []verdict.Result{results["A-1"]}, false)
	if v.Exit != verdict.ExitInconclusive {
		t.Fatalf("what a dead shard did not report counts as passed: %+v", v)
	}
}
