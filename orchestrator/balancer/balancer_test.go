package balancer

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// server is an apiserver as the balancer sees it.
type server struct {
	*httptest.Server
	// hold keeps it from answering, as when its process is paused.
	hold  atomic.Pointer[chan struct{}]
	ready atomic.Bool
	// connections and probes are how many were accepted and asked until now.
	connections, probes atomic.Int64
}

func newServer(t *testing.T, name string) *server {
	s := &server{}
	s.ready.Store(true)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			s.probes.Add(1)
		}
		if hold := s.hold.Load(); hold != nil {
			select {
			case <-*hold:
			case <-r.Context().Done():
				panic(http.ErrAbortHandler) // a paused process does not answer a probe that is just given up
			}
		}
		if r.URL.Path == "/readyz" && !s.ready.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, name)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestProbesShareOneConnection(t *testing.T) {
	s := newServer(t, "a")
	_, _ = start(t, s)
	eventually(t, "twenty probes", func() bool { return s.probes.Load() >= 20 })
	if n := s.connections.Load(); n > 2 { // a second one if the first probe came before its answer was read
		t.Errorf("%d connections for %d probes", n, s.probes.Load())
	}
}

// pause stops the server's answers until the returned function is called.
func (s *server) pause() (resume func()) {
	hold := make(chan struct{})
	s.hold.Store(&hold)
	return func() { s.hold.Store(nil); close(hold) }
}

func (s *server) ca() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// start runs a balancer over servers and returns where it listens.
func start(t *testing.T, servers ...*server) (*Balancer, string) {
	t.Helper()
	cfg := Config{Listen: []string{"127.0.0.1:0"}, CA: servers[0].ca(), Interval: 10 * time.Millisecond, Timeout: 300 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler)}
	for _, s := range servers {
		cfg.Backends = append(cfg.Backends, s.Listener.Addr().String())
	}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	listeners, err := listen(t.Context(), cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Serve(ctx, listeners...) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return b, listeners[0].Addr().String()
}

// get asks by a new connection who answers.
func get(t *testing.T, address string) (string, error) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
	response, err := client.Get("https://" + address + "/")
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick, deadline := time.NewTicker(5*time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not within 10 s: %s", what)
		case <-tick.C:
		}
	}
}

// readyAre tells which backends are ready.
func readyAre(b *Balancer, want ...bool) func() bool {
	return func() bool {
		b.pool.mu.Lock()
		defer b.pool.mu.Unlock()
		var have []bool
		for _, backend := range b.pool.backends {
			have = append(have, backend.state == ready)
		}
		return slices.Equal(have, want)
	}
}

func TestConnectionsAreSpreadOverReadyBackends(t *testing.T) {
	b, address := start(t, newServer(t, "a"), newServer(t, "b"))
	eventually(t, "both ready", readyAre(b, true, true))
	seen := map[string]int{}
	for range 20 {
		who, err := get(t, address)
		if err != nil {
			t.Fatal(err)
		}
		seen[who]++
	}
	if seen["a"] == 0 || seen["b"] == 0 {
		t.Errorf("answers: %v", seen)
	}
}

func TestABackendThatStopsAnsweringLosesItsConnections(t *testing.T) {
	a := newServer(t, "a")
	b, address := start(t, a)
	eventually(t, "ready", readyAre(b, true))
	client, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	eventually(t, "connected", func() bool {
		b.pool.mu.Lock()
		defer b.pool.mu.Unlock()
		return len(b.pool.backends[0].open) == 1
	})
	resume := a.pause()
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := client.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("the connection was not reset: %v", err)
	}
	resume()
	eventually(t, "ready again", readyAre(b, true))
	if who, err := get(t, address); err != nil || who != "a" {
		t.Errorf("after it resumed: %q, %v", who, err)
	}
}

func TestBackendsThatAreSlowTogetherKeepTheirConnections(t *testing.T) {
	a, c := newServer(t, "a"), newServer(t, "c")
	b, _ := start(t, a, c)
	eventually(t, "both ready", readyAre(b, true, true))
	before := a.probes.Load()
	defer a.pause()()
	defer c.pause()()
	eventually(t, "given up in the end", func() bool { return !readyAre(b, true, true)() && !readyAre(b, true, false)() })
	if n := a.probes.Load() - before; n <= busyFor {
		t.Errorf("given up after %d probes without an answer, although the other was no quicker", n)
	}
}

func TestAlone(t *testing.T) {
	now := time.Unix(1000, 0)
	const quick = 100 * time.Millisecond
	for _, row := range []struct {
		name   string
		others []*backend
		want   bool
	}{
		{"both others answer quickly", []*backend{{state: ready, took: time.Millisecond}, {state: ready, took: quick}}, true},
		{"one was slow the last time", []*backend{{state: ready, took: time.Millisecond}, {state: ready, took: 2 * quick}}, false},
		{"one has been asked for long", []*backend{{state: ready, asked: now.Add(-2 * quick)}, {state: ready}}, false},
		{"one has just been asked", []*backend{{state: ready, asked: now.Add(-quick / 2)}, {state: ready}}, true},
		{"one that is dead is nobody to compare with", []*backend{{state: silent, took: 2 * quick}, {state: ready}}, true},
		{"nobody else is ready", []*backend{{state: silent}, {state: unready}}, false},
	} {
		slow := &backend{state: ready, took: 10 * quick}
		p := &pool{backends: append([]*backend{slow}, row.others...)}
		if got := p.alone(slow, now, quick); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func TestABackendThatIsNotReadyGetsNothing(t *testing.T) {
	a, c := newServer(t, "a"), newServer(t, "c")
	b, address := start(t, a, c)
	eventually(t, "both ready", readyAre(b, true, true))
	a.ready.Store(false)
	eventually(t, "only c ready", readyAre(b, false, true))
	for range 10 {
		if who, err := get(t, address); err != nil || who != "c" {
			t.Fatalf("answered %q, %v", who, err)
		}
	}
}

func TestAClientWaitsForTheFirstBackend(t *testing.T) {
	a := newServer(t, "a")
	a.ready.Store(false)
	_, address := start(t, a)
	time.AfterFunc(100*time.Millisecond, func() { a.ready.Store(true) })
	if who, err := get(t, address); err != nil || who != "a" {
		t.Errorf("answered %q, %v", who, err)
	}
}

func TestWhenNoneIsReadyOneThatAnswersIsBetterThanNone(t *testing.T) {
	a, c := newServer(t, "a"), newServer(t, "c")
	b, address := start(t, a, c)
	eventually(t, "both ready", readyAre(b, true, true))
	a.ready.Store(false)
	c.ready.Store(false)
	eventually(t, "none ready", readyAre(b, false, false))
	if _, err := get(t, address); err != nil {
		t.Error(err)
	}
}

// TestTheNextIsAskedWhileADeadNodeDoesNotAnswer: a full accept queue answers connections as the address of a dead node does, with nothing.
func TestTheNextIsAskedWhileADeadNodeDoesNotAnswer(t *testing.T) {
	p := newPool([]string{"a", "b"}, slog.New(slog.DiscardHandler))
	p.set(p.backends[0], ready, nil)
	p.set(p.backends[1], ready, nil)
	alive := newServer(t, "b")
	p.dial = func(ctx context.Context, address string) (net.Conn, error) {
		if address == "a" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return net.Dial("tcp", alive.Listener.Addr().String())
	}
	for range 4 { // whoever is asked first
		client, far := net.Pipe()
		began := time.Now()
		l, from := p.connect(t.Context(), client)
		if from != p.backends[1] || time.Since(began) > dialTimeout/2 {
			t.Errorf("connected to %v after %v", from, time.Since(began))
		}
		_ = l.server.Close()
		_ = far.Close()
	}
}

func TestDescribe(t *testing.T) {
	const nodes = `{"nodes":[{"name":"c","role":"control-plane","address":"172.30.7.2"},{"name":"w","role":"worker","address":"172.30.7.5"},
		{"name":"d","role":"control-plane","address":"fd00::1"}]`
	tests := []struct {
		name, file       string
		listen, backends []string
		fails            bool
	}{
		{"a cluster", nodes + `,"balancer":{"address":"172.30.7.9","port":6443}}`, []string{":6443"}, []string{"172.30.7.2:6443", "[fd00::1]:6443"}, false},
		{"no port", nodes + `}`, nil, nil, true},
		{"no JSON", `{`, nil, nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "cluster.json")
			if err := os.WriteFile(file, []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			var cfg Config
			err := cfg.describe(file)
			if (err != nil) != test.fails {
				t.Fatalf("error: %v", err)
			}
			if !test.fails && (!slices.Equal(cfg.Listen, test.listen) || !slices.Equal(cfg.Backends, test.backends)) {
				t.Errorf("listen %v, backends %v", cfg.Listen, cfg.Backends)
			}
		})
	}
}
