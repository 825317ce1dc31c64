package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/plumb-k8s/plumb/orchestrator/etcd"
)

// asMember makes the test binary a member: its arguments are the command's.
const asMember = "PLUMB_TEST_ETCD_MEMBER"

const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(asMember) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := etcd.NewCommand().ExecuteContext(ctx); err != nil {
		os.Exit(1)
	}
}

// member is a process.
type member struct {
	name, dir, client, peer string
	process                 *exec.Cmd
}

// address finds a free port.
func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func newMember(t *testing.T, name string) *member {
	return &member{name: name, dir: t.TempDir(), client: address(t), peer: address(t)}
}

func (m *member) start(t *testing.T, cluster ...*member) {
	t.Helper()
	var all []string
	for _, c := range cluster {
		all = append(all, c.name+"="+c.peer)
	}
	m.process = exec.Command(os.Args[0], "--name="+m.name, "--data-dir="+m.dir+"/d", "--listen-client-urls="+m.client, "--advertise-client-urls="+m.client,
		"--listen-peer-urls="+m.peer, "--initial-advertise-peer-urls="+m.peer, "--initial-cluster="+strings.Join(all, ","), "--heartbeat-interval=50", "--election-timeout=500")
	m.process.Env = append(os.Environ(), asMember+"=1")
	m.process.Stderr = t.Output()
	if err := m.process.Start(); err != nil {
		t.Fatal(err)
	}
	process := m.process.Process
	t.Cleanup(func() { _ = process.Kill() })
}

// stop ends the process by a signal and returns how it ended.
func (m *member) stop(t *testing.T, s os.Signal) error {
	t.Helper()
	if err := m.process.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	return m.process.Wait()
}

func connect(t *testing.T, members ...*member) *clientv3.Client {
	t.Helper()
	var endpoints []string
	for _, m := range members {
		endpoints = append(endpoints, m.client)
	}
	c, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// write puts n keys, and retries while there is no leader.
func write(ctx context.Context, t *testing.T, c *clientv3.Client, prefix string, n int) {
	t.Helper()
	for i := range n {
		for {
			attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
			_, err := c.Put(attempt, fmt.Sprintf("%s%d", prefix, i), "v")
			cancel()
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				t.Fatal(err)
			}
		}
	}
}

func count(ctx context.Context, t *testing.T, c *clientv3.Client, prefix string) int64 {
	t.Helper()
	r, err := c.Get(ctx, prefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	return r.Count
}

func TestAcknowledgedWritesSurvive(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m := newMember(t, "a")
	m.start(t, m)
	c := connect(t, m)
	begun := time.Now()
	write(ctx, t, c, "first/", 1)
	t.Logf("first write %v after the start", time.Since(begun).Round(time.Millisecond))
	write(ctx, t, c, "k/", 50)
	if err := m.stop(t, syscall.SIGKILL); err == nil {
		t.Fatal("killed, but ended well")
	}
	m.start(t, m)
	write(ctx, t, c, "k/", 51)
	if n := count(ctx, t, c, "k/"); n != 51 {
		t.Fatalf("%d of 51 after kill -9", n)
	}
	if err := m.stop(t, syscall.SIGTERM); err != nil {
		t.Fatalf("a clean end: %v", err)
	}
	m.start(t, m)
	write(ctx, t, c, "k/", 52)
	if n := count(ctx, t, c, "k/"); n != 52 {
		t.Fatalf("%d of 52 after a restart", n)
	}
	for _, path := range []string{"/health", "/metrics"} {
		if body := get(t, m.client+path); !strings.Contains(body, map[string]string{"/health": `"health":"true"`, "/metrics": "etcd_server_has_leader 1"}[path]) {
			t.Errorf("%s: %.200s", path, body)
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestThreeMembersLoseOne(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	a, b, c := newMember(t, "a"), newMember(t, "b"), newMember(t, "c")
	begun := time.Now()
	for _, m := range []*member{a, b, c} {
		m.start(t, a, b, c)
	}
	client := connect(t, a, b, c)
	write(ctx, t, client, "k/", 20)
	t.Logf("20 writes %v after the start", time.Since(begun).Round(time.Millisecond))
	if err := a.stop(t, syscall.SIGKILL); err == nil {
		t.Fatal("killed, but ended well")
	}
	begun = time.Now()
	write(ctx, t, client, "l/", 20)
	t.Logf("20 writes %v after a kill", time.Since(begun).Round(time.Millisecond))
	a.start(t, a, b, c)
	// A linearizable read through the member that came back.
	back := connect(t, a)
	for {
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		r, err := back.Get(attempt, "l/", clientv3.WithPrefix(), clientv3.WithCountOnly())
		cancel()
		if err == nil && r.Count == 20 {
			return
		}
		if ctx.Err() != nil {
			t.Fatal(errors.Join(ctx.Err(), err))
		}
	}
}

func TestFlagsSayWhatIsWrong(t *testing.T) {
	for name, args := range map[string][]string{
		"not a URL":        {"--listen-client-urls=here"},
		"election too low": {"--heartbeat-interval=100", "--election-timeout=200"},
		"unknown":          {"--no-such-flag"},
	} {
		t.Run(name, func(t *testing.T) {
			c := etcd.NewCommand()
			c.SetArgs(append(args, "--data-dir="+t.TempDir()))
			c.SetOut(io.Discard)
			c.SetErr(io.Discard)
			if err := c.ExecuteContext(t.Context()); err == nil {
				t.Fatal("accepted")
			}
		})
	}
}
