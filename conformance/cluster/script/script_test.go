package script

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// program answers as NODECONTROL.md says and notes what it was told in the file LOG.
const program = `#!/bin/sh
echo "$@" >> "$LOG"
case "$1 $2" in
"state n1") echo running 2026-01-02T03:04:05Z ;;
"state n2") echo paused 2026-01-02T03:04:05Z ;;
"state n3") echo stopped 2026-01-02T03:04:05Z 137 ;;
"state n4") echo up ;;
"processes n1") printf '7 S\n8 T\n' ;;
"processes n2") ;;
"processes n3") echo seven ;;
"signal n1") echo 7 ;;
"signal n2") echo "no process is named $3" >&2; exit 1 ;;
"dropped n1") echo "n2 17"; echo "balancer 3" ;;
"dial n1") [ "$4" = 10.0.0.9:6443 ] || exit 1 ;;
"dial n2") echo "ssh: no route" >&2; exit 2 ;;
"fetch n1") echo body ;;
"room n1") echo 4096 ;;
"room n2") echo plenty ;;
"logs n1") echo "$PLUMB_NODES $PLUMB_BALANCER" ;;
"stop n1"|"kill n1"|"start n1"|"cut n1"|"mend n1"|"free n1") ;;
*) echo "trying" >&2; echo "cannot $1" >&2; exit 3 ;;
esac
`

func control(t *testing.T) (c *Control, told func() []string) {
	t.Helper()
	dir := t.TempDir()
	path, log := filepath.Join(dir, "control"), filepath.Join(dir, "log")
	if err := os.WriteFile(path, []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LOG", log)
	c, err := New(Config{Path: path, Balancer: "10.0.0.9", Nodes: []cluster.Node{
		{Name: "n1", Address: "10.0.0.1"}, {Name: "n2", Address: "10.0.0.2"}, {Name: "n3"}, {Name: "n4"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c, func() []string {
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(data)), "\n")
	}
}

func TestStatesAreRead(t *testing.T) {
	c, _ := control(t)
	const since = "2026-01-02T03:04:05Z"
	for node, want := range map[string]cluster.State{
		"n1": {Running: true, StartedAt: since}, "n2": {Running: true, Paused: true, StartedAt: since}, "n3": {ExitCode: 137, StartedAt: since},
	} {
		if got, err := c.State(t.Context(), node); err != nil || got != want {
			t.Errorf("%s: %+v, %v", node, got, err)
		}
	}
	if _, err := c.State(t.Context(), "n4"); err == nil || !strings.Contains(err.Error(), `was told "up"`) {
		t.Errorf("an answer that is none: %v", err)
	}
}

func TestAnswersAreTold(t *testing.T) {
	c, told := control(t)
	ctx := t.Context()
	if pids, err := c.Processes(ctx, "n1", "etcd"); err != nil || !slices.Equal(pids, []int{7, 8}) {
		t.Errorf("processes: %v, %v", pids, err)
	}
	if pids, err := c.Stopped(ctx, "n1", "etcd"); err != nil || !slices.Equal(pids, []int{8}) {
		t.Errorf("stopped: %v, %v", pids, err)
	}
	if pids, err := c.Processes(ctx, "n2", "etcd"); err != nil || len(pids) != 0 {
		t.Errorf("none is an answer, too: %v, %v", pids, err)
	}
	if pids, err := c.Signal(ctx, "n1", "etcd", 9); err != nil || !slices.Equal(pids, []int{7}) {
		t.Errorf("signal: %v, %v", pids, err)
	}
	if lost, err := c.Dropped(ctx, "n1"); err != nil || lost["n2"] != 17 || lost[cluster.Balancer] != 3 {
		t.Errorf("dropped: %v, %v", lost, err)
	}
	if body, err := c.Fetch(ctx, "n1", "http://127.0.0.1:2381/metrics"); err != nil || string(body) != "body\n" {
		t.Errorf("fetch: %q, %v", body, err)
	}
	if room, err := c.Room(ctx, "n1", "etcd"); err != nil || room != 4096 {
		t.Errorf("room: %d, %v", room, err)
	}
	err := errors.Join(c.Stop(ctx, "n1"), c.Kill(ctx, "n1"), c.Start(ctx, "n1"), c.Mend(ctx, "n1"), c.Free(ctx, "n1", "etcd"), c.Cut(ctx, "n1"),
		c.Dial(ctx, "n1", cluster.Balancer+":6443"),
		c.Cut(ctx, "n1", cluster.Edge{Other: "n2", In: true}, cluster.Edge{Other: "n3", Out: true}, cluster.Edge{Other: cluster.Balancer, In: true, Out: true}))
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{"signal n1 etcd 9", "cut n1 n2,in n3,out balancer,both", "dial n1 2s 10.0.0.9:6443", "free n1 etcd"} {
		if !slices.Contains(told(), want) {
			t.Errorf("never told %q, but\n%s", want, strings.Join(told(), "\n"))
		}
	}
	var logs bytes.Buffer
	if err := c.Logs(ctx, "n1", &logs); err != nil || logs.String() != "n1=10.0.0.1 n2=10.0.0.2 n3= n4= 10.0.0.9\n" {
		t.Errorf("logs: %q, %v", &logs, err)
	}
}

// What a program does not support, refuses, or fails to find out are three things.
func TestRefusalsAreToldApart(t *testing.T) {
	c, _ := control(t)
	ctx := t.Context()
	if err := c.Pause(ctx, "n1"); !errors.Is(err, cluster.ErrUnsupported) || !strings.HasSuffix(err.Error(), ": cannot pause") {
		t.Errorf("not supported: %v", err)
	}
	if err := c.Dial(ctx, "n1", "10.0.0.2:10250"); !errors.Is(err, cluster.ErrUnreached) {
		t.Errorf("not reached: %v", err)
	}
	if err := c.Dial(ctx, "n2", "10.0.0.1:10250"); err == nil || errors.Is(err, cluster.ErrUnreached) || errors.Is(err, cluster.ErrUnsupported) {
		t.Errorf("not found out: %v", err)
	}
	if _, err := c.Signal(ctx, "n2", "etcd", 9); err == nil || errors.Is(err, cluster.ErrUnsupported) {
		t.Errorf("no such process: %v", err)
	}
	if _, err := c.Processes(ctx, "n3", "etcd"); err == nil {
		t.Error("a pid that is no number")
	}
	if _, err := c.Room(ctx, "n2", "etcd"); err == nil {
		t.Error("a room that is no number")
	}
	if err := c.Stop(ctx, "n5"); !errors.Is(err, cluster.ErrNoSuchNode) {
		t.Errorf("no such node: %v", err)
	}
	if _, err := New(Config{Path: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a program that is not there")
	}
}
