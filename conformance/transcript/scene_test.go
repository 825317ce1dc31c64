package transcript

import (
	"context"
	"slices"
	"strings"
	"testing"
)

func TestTheRecordingReadsAsItIsWritten(t *testing.T) {
	recording, err := LoadFrom("testdata")
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, scene := range recording.Scenes {
		again, err := parse(scene.Name, scene.Format())
		if err != nil {
			t.Fatal(err)
		}
		if again.Format() != scene.Format() {
			t.Errorf("%s is not written as it was read", scene.Name)
		}
		commands += scene.Commands()
	}
	if commands < 60 {
		t.Errorf("%d command lines are recorded: at least 60 are promised", commands)
	}
}

func TestALineThatBelongsNowhereIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"unknown mark": "x kubectl", "output without a command": "| text", "unknown act": "$ kubectl\n> dance", "terminal without a size": "$ kubectl\n> terminal big",
		"exit code in words": "$ kubectl\n= one",
	} {
		if _, err := parse(name, text); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestMaskHidesWhatChangesAndNothingElse(t *testing.T) {
	m := newMask(map[string]string{"node": "WORKER", "node-cp": "CONTROL-PLANE", "transcript-abc": "NAMESPACE"})
	for _, c := range []struct{ name, from, want string }{
		{"columns and ages", "NAME     AGE\nweb-7   12s   3m4s", "NAME  AGE\nweb-7  AGE  AGE"},
		{"a field's value is no age", "      cpu:        10m", "      cpu:  10m"},
		{"indentation stays", "    a:\n+    b:  1", "    a:\n+    b:  1"},
		{"nodes, longest first", "node-cp node", "CONTROL-PLANE WORKER"},
		{"pod of a ReplicaSet", "web-5d8c6bd497-2xk7z", "web-HASH-RANDOM"},
		{"times", "2026-01-02T03:04:05Z Mon, 02 Jan 2026 03:04:05 +0000", "TIME TIME"},
		{"a timeout is no age", "timeout=1s period=10s", "timeout=1s period=10s"},
		{"addresses", "10.0.0.1:8080 10.1.2.0/24", "ADDRESS:8080 CIDR"},
		{"node port", "80:31234/TCP", "80:NODEPORT/TCP"},
	} {
		if got := strings.Join(m.apply(c.from), "\n"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAShellPlaysActs(t *testing.T) {
	s := &shell{dir: t.TempDir(), env: []string{"PATH=/bin:/usr/bin"}}
	for _, c := range []struct {
		name, line string
		acts       []act
		want       result
	}{
		{"both outputs in order, exit code", "echo a; echo b >&2; echo c; exit 3", nil, result{"a\nb\nc\n", 3}},
		{"input", "cat", []act{{send, "hello"}, {expect, "hello"}, {end, ""}}, result{"hello\n", 0}},
		{"interrupt", "echo on; exec sleep 60", []act{{expect, "on"}, {interrupt, ""}}, result{"on\n", 130}},
		{"terminal", "stty size; read x; stty size", []act{{terminal, "80x24"}, {expect, "24 80"}, {resize, "100x30"}, {send, ""}}, result{"24 80\n\n30 100\n", 0}},
	} {
		got, err := s.run(context.Background(), c.line, c.acts)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
	if _, err := s.run(context.Background(), "echo a", []act{{expect, "b"}}); err == nil {
		t.Error("an expectation that never comes true passes")
	}
}

func TestOnlyAcceptedDifferencesAreForgiven(t *testing.T) {
	e, err := parseExceptions([]byte("- {command: version, line: '[-+]Server Version: v1.37.2.*', reason: ours says who it is}"))
	if err != nil {
		t.Fatal(err)
	}
	step := func(text string, exit int, lines ...string) Step {
		return Step{kind: command, Text: text, Output: lines, Exit: exit}
	}
	stock := step("kubectl version", 0, "Client", "Server Version: v1.37.2")
	if diff := e.Compare(stock, step("kubectl version", 0, "Client", "Server Version: v1.37.2+plumb")); diff != "" {
		t.Errorf("an accepted difference is reported: %s", diff)
	}
	for name, seen := range map[string]Step{
		"another line": step("kubectl version", 0, "Clients", "Server Version: v1.37.2+plumb"),
		"exit code":    step("kubectl version", 1, "Client", "Server Version: v1.37.2"),
	} {
		if diff := e.Compare(stock, seen); !slices.Contains(strings.Split(diff, "\n"), "--- recorded") {
			t.Errorf("%s: the difference is forgiven", name)
		}
	}
	if _, err := parseExceptions([]byte("- {command: x, line: y}")); err == nil {
		t.Error("a difference without a reason is accepted")
	}
}
