package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// inCI is the folder of what CI systems run.
const inCI = "../../../ci"

// fake stands in for plumb: it writes its words down, makes a report, and exits as it is told to.
const fake = `#!/bin/sh
printf '%s\n' "$@" > "$WORDS"
mkdir -p "$REPORT_DIR" && echo '{}' > "$REPORT_DIR/report.json"
exit "$CODE"
`

func TestTheScriptForCIPassesWhatItIsToldAndExitsAsPlumbDoes(t *testing.T) {
	for name, row := range map[string]struct {
		env  []string
		args []string
		code int
		want string
	}{
		"a profile on a cluster":    {[]string{"KUBECONFIG=/k c", "PROFILE=api"}, nil, 0, "check|--kubeconfig|/k c|--profile|api"},
		"nodes are broken":          {[]string{"KUBECONFIG=k", "NODE_CONTROL=exec:/x y"}, nil, 1, "check|--kubeconfig|k|--node-control|exec:/x y"},
		"images of one's own":       {[]string{"KUBECONFIG=k", "IMAGES=r:5000/p"}, nil, 0, "check|--kubeconfig|k|--image-repository|r:5000/p"},
		"a shard of a booted shape": {[]string{"CONFIG=ha.yaml", "SHARD=2/3", "NODE_IMAGE=n:1"}, nil, 3, "check|--config|ha.yaml|--image|n:1|--shard|2/3"},
		"shards become one":         {nil, []string{"merge", "--same-shape", "shard 1", "b"}, 1, "merge|--report-dir|DIR|--same-shape|shard 1|b"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "the report")
			code, words, said := ranScript(t, dir, append(row.env, "CODE="+strconv.Itoa(row.code)), row.args...)
			want := strings.Split(strings.ReplaceAll(row.want, "DIR", dir), "|")
			if row.args == nil {
				want = append(want, "--report-dir", dir)
			}
			if code != row.code || !slices.Equal(words, want) {
				t.Errorf("exit %d, want %d; plumb got %q, want %q; printed %s", code, row.code, words, want, said)
			}
			if _, err := os.Stat(dir + ".tar.gz"); err != nil {
				t.Errorf("the report is not packed: %v", err)
			}
			understood(t, words)
		})
	}
}

func TestTheScriptForCIRefusesWhatItCannotRun(t *testing.T) {
	for name, row := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"no target":         {nil, nil, "set KUBECONFIG, the cluster to judge, or CONFIG"},
		"no program":        {[]string{"PLUMB=/nonesuch/plumb"}, nil, "/nonesuch/plumb is not there"},
		"words":             {[]string{"KUBECONFIG=k"}, []string{"--profile", "api"}, "--profile: what is this?"},
		"nothing to merge":  {nil, []string{"merge"}, "name the folders of the shards"},
		"a word in between": {nil, []string{"merg", "a"}, "merg: what is this?"},
	} {
		t.Run(name, func(t *testing.T) {
			code, words, said := ranScript(t, filepath.Join(t.TempDir(), "r"), append(row.env, "CODE=0"), row.args...)
			if code != 2 || words != nil || !strings.Contains(said, row.want) || strings.Count(said, "\n") != 1 {
				t.Errorf("exit %d, plumb got %q; want exit 2 and one line with %q, have %s", code, words, row.want, said)
			}
		})
	}
}

// ranScript runs ci/plumb.sh with a fake plumb, and returns the words that this one got.
func ranScript(t *testing.T, dir string, env []string, args ...string) (code int, words []string, said string) {
	t.Helper()
	tmp := t.TempDir()
	program, list := filepath.Join(tmp, "plumb"), filepath.Join(tmp, "words")
	if err := os.WriteFile(program, []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), filepath.Join(inCI, "plumb.sh"), args...)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "PLUMB=" + program, "WORDS=" + list, "REPORT_DIR=" + dir}, env...)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	data, err := os.ReadFile(list)
	if err == nil {
		words = strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	}
	return c.ProcessState.ExitCode(), words, string(out)
}

// understood fails unless plumb has that command and those flags.
func understood(t *testing.T, words []string) {
	t.Helper()
	root := newCommand()
	root.InitDefaultCompletionCmd()
	command, rest, err := root.Find(words)
	if err == nil {
		err = command.ParseFlags(rest)
	}
	if err != nil {
		t.Errorf("plumb %s: %v", strings.Join(words, " "), err)
	}
}

func TestWorkflowsOfCISystemsAreYAML(t *testing.T) {
	for _, name := range []string{"github.yaml", "gitlab.yaml"} {
		data, err := os.ReadFile(filepath.Join(inCI, name))
		if err != nil {
			t.Fatal(err)
		}
		var workflow map[string]any
		if err := yaml.UnmarshalStrict(data, &workflow); err != nil || len(workflow) < 3 {
			t.Errorf("ci/%s: %d fields, %v", name, len(workflow), err)
		}
	}
}

// commandLine is a line of a document's block that runs plumb.
var commandLine = regexp.MustCompile(`(?m)^\s+(?:\./)?plumb ((?:[a-z]|--)[^#\n]*)`)

func TestCommandLinesInDocumentsAreUnderstood(t *testing.T) {
	found := 0
	for _, name := range []string{"../../../README.md", "../../VALIDATE.md", "../../../ci/README.md"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range commandLine.FindAllStringSubmatch(string(data), -1) {
			words := strings.Fields(strings.Split(match[1], " && ")[0])
			found++
			understood(t, words)
		}
	}
	if found < 10 {
		t.Errorf("only %d command lines were found: is the expression still right?", found)
	}
}
