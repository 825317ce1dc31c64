package process

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets this test binary be the processes under test: nothing else is sure to be on a machine.
func TestMain(m *testing.M) {
	switch os.Args[0] {
	case "sleeper":
		waitForever()
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		os.Stdout.WriteString("ignoring\n")
		waitForever()
	}
	os.Exit(m.Run())
}

// waitForever blocks as Go programs do while they serve: an empty select would be a deadlock.
func waitForever() {
	for {
		_ = syscall.Pause()
	}
}

// keep starts one process under a keeper and returns how to stop it. deaths gets the name of each death, ready of each readiness.
func keep(t *testing.T, s Spec) (deaths, ready chan string, stop func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.Path = self
	deaths, ready = make(chan string, 8), make(chan string, 8)
	reaper := NewReaper()
	reaping, endReaping := context.WithCancel(context.Background())
	go reaper.Run(reaping)
	k := &Keeper{
		Reaper: reaper, LogDir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Clock: time.After,
		OnReady: func(name string) { ready <- name }, OnDeath: func(name string) { deaths <- name },
	}
	ctx, cancel := context.WithCancel(context.Background())
	kept := make(chan error, 1)
	go func() { kept <- k.Keep(ctx, s) }()
	return deaths, ready, func() {
		t.Helper()
		defer endReaping()
		cancel()
		select {
		case err := <-kept:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the process was not stopped")
		}
	}
}

// pidOf finds the living child of that argv[0].
func pidOf(t *testing.T, name string) int {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if line, err := os.ReadFile(path); err == nil && strings.HasPrefix(string(line), name+"\x00") {
			pid := 0
			for _, digit := range filepath.Base(filepath.Dir(path)) {
				pid = pid*10 + int(digit-'0')
			}
			return pid
		}
	}
	t.Fatalf("no process named %s", name)
	return 0
}

func TestAKilledProcessIsRestarted(t *testing.T) {
	deaths, ready, stop := keep(t, Spec{Name: "sleeper", Args: []string{"x"}})
	defer stop()
	<-ready
	if err := syscall.Kill(pidOf(t, "sleeper"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for what, news := range map[string]chan string{"death": deaths, "restart": ready} {
		select {
		case <-news:
		case <-time.After(10 * time.Second):
			t.Fatalf("no %s", what)
		}
	}
}

func TestAStubbornProcessIsKilled(t *testing.T) {
	_, ready, stop := keep(t, Spec{Name: "stubborn", Args: []string{"x"}, Grace: 50 * time.Millisecond})
	<-ready
	stop()
}

func TestNextWait(t *testing.T) {
	for _, row := range []struct {
		name              string
		last, lived, want time.Duration
	}{
		{"first death", 0, time.Second, firstWait},
		{"again at once", firstWait, 0, 2 * firstWait},
		{"bounded", lastWait, 0, lastWait},
		{"forgiven after a steady life", lastWait, steady, firstWait},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := nextWait(row.last, row.lived); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestLogsAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	log, err := openBounded(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for _, line := range []string{"first\n", "second\n", "third\n"} {
		if _, err := log.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{path: "third\n", path + ".1": "second\n"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
