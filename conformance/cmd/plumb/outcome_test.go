package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/check"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// A verdict keeps its code, and what went wrong beside it is told.
func TestEveryErrorIsToldOnceAndTheVerdictKeepsItsCode(t *testing.T) {
	usage, engine := errors.New("no such flag"), check.Infrastructure{Err: errors.New("the engine is gone")}
	failed := check.ExitError(verdict.ExitFailed)
	for name, row := range map[string]struct {
		err  error
		code int
		told string
	}{
		"nothing":                          {nil, 0, ""},
		"a verdict":                        {failed, 1, ""},
		"a flag":                           {usage, 2, "no such flag"},
		"an engine":                        {fmt.Errorf("boot: %w", engine), 4, "boot: the engine is gone"},
		"a verdict, and no clean-up":       {errors.Join(engine, failed), 1, "the engine is gone"},
		"conformant, and no clean-up":      {errors.Join(engine, nil), 4, "the engine is gone"},
		"a failed boot, and no clean-up":   {errors.Join(engine, engine), 4, "the engine is gone|the engine is gone"},
		"two causes in one sentence":       {fmt.Errorf("%w, and %w", usage, engine), 4, "no such flag, and the engine is gone"},
		"a clean-up inside, and a verdict": {errors.Join(errors.Join(engine, usage), failed), 1, "the engine is gone|no such flag"},
	} {
		code, told := outcome(row.err)
		var lines []string
		for _, each := range told {
			lines = append(lines, each.Error())
		}
		if got := strings.Join(lines, "|"); code != row.code || got != row.told {
			t.Errorf("%s: exit %d, told %q, want %d, %q", name, code, got, row.code, row.told)
		}
	}
}

// An engine that was named and does not answer is not replaced by another one, and who collects results finds why there is none.
func TestAnEngineThatDoesNotAnswerIsInfrastructure(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	dir := filepath.Join(t.TempDir(), "report")
	code, _, problem := ran(t, "check", "--report-dir", dir)
	if code != verdict.ExitInfrastructure || !strings.Contains(problem, "DOCKER_HOST=tcp://127.0.0.1:1") || strings.Count(problem, "\n") != 1 {
		t.Errorf("exit %d, %s", code, problem)
	}
	junit, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
	if err != nil || !strings.Contains(string(junit), `errors="1"`) || !strings.Contains(string(junit), "DOCKER_HOST=tcp://127.0.0.1:1") {
		t.Errorf("%v: %s", err, junit)
	}
}

func TestTheVersionIsTheCommits(t *testing.T) {
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "2144312000000000000000"}, {Key: "vcs.modified", Value: "true"}}
	for want, build := range map[string]debug.BuildInfo{
		"v1.2.0":                    {Main: debug.Module{Version: "v1.2.0"}},
		"v0.0.0-214431200000+dirty": {Main: debug.Module{Version: "(devel)"}, Settings: commit},
		"v0.0.0-unknown":            {},
	} {
		if got := versionOf(&build, true); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
