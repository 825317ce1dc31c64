package check

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// TestMain lets this executable be the shard of its own tests, as plumb is of itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "hanging-shard" {
		hangingShard()
		return
	}
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

// hangingShard runs Ginkgo over a spec that ends only when it is told to, and one behind it.
func hangingShard() {
	at := func(flag string) string { return os.Args[slices.Index(os.Args, flag)+1] }
	s := Shard{IDs: []string{"API-001", "API-002"}, Report: at("--shard-report")}
	err := s.run(func() {
		ginkgo.It("hangs", ginkgo.Label("API-001"), func(ctx ginkgo.SpecContext) { <-ctx.Done() })
		ginkgo.It("runs", ginkgo.Label("API-002"), func(ginkgo.SpecContext) {})
	}, time.Millisecond)
	if err != nil {
		panic(err)
	}
}

func TestASpecThatHangsFailsAndTheNextOneRuns(t *testing.T) {
	results, err := runFake(t.Context(), t, "hanging-shard", func() {})
	if err != nil {
		t.Error(err)
	}
	if results["API-001"].Outcome != verdict.Failed || !strings.Contains(results["API-001"].Message, "spec timeout") {
		t.Errorf("the hanging spec: %+v", results["API-001"])
	}
	if results["API-002"].Outcome != verdict.Passed {
		t.Errorf("the spec behind it: %+v", results["API-002"])
	}
}

// runFake runs a fake shard until its events end; began is called when its second spec begins.
func runFake(ctx context.Context, t *testing.T, kind string, began func()) (map[string]verdict.Result, error) {
	t.Helper()
	results := map[string]verdict.Result{}
	r := Run{Dir: t.TempDir(), Out: io.Discard, ShardArgs: []string{kind}}
	err := r.shard(ctx, "1", []string{"A-1", "A-2"}, func(e event) {
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
	v := verdict.Judge([]verdict.Requirement{{ID: "A-1"}, {ID: "A-2"}}, []verdict.Result{results["A-1"]}, nil)
	if v.Exit != verdict.ExitInconclusive {
		t.Fatalf("what a dead shard did not report counts as passed: %+v", v)
	}
}
