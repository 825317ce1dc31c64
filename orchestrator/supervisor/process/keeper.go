package process

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Spec is one process to keep alive.
type Spec struct {
	// Name becomes argv[0], by which faults and people find the process, and the log's name.
	Name string
	Path string
	Args []string
	// Ready is asked until it returns nil; nil means that a started process is ready.
	Ready func(context.Context) error
	// Grace is how long the process may take to end after SIGTERM; 0 means 4 s.
	Grace time.Duration
}

// Keeper starts processes and restarts those that die.
type Keeper struct {
	Reaper *Reaper
	LogDir string
	Logger *slog.Logger
	// Clock is time.After, or a test's.
	Clock func(time.Duration) <-chan time.Time
	// OnReady and OnDeath may be nil. OnDeath is told of deaths that nobody asked for, when they happen.
	OnReady, OnDeath func(name string)
}

// Bounds of the wait before a restart. The first restart is almost immediate: a kill is a fault to recover from, not a crash loop.
const (
	firstWait = 20 * time.Millisecond
	lastWait  = 5 * time.Second
	// steady is how long a process must have lived to be forgiven its earlier deaths.
	steady = 10 * time.Second
)

// nextWait is how long to wait before a restart, given the last wait and how long the process lived.
func nextWait(last, lived time.Duration) time.Duration {
	if last == 0 || lived >= steady {
		return firstWait
	}
	return min(2*last, lastWait)
}

// Keep runs a process until ctx ends, then stops it.
func (k *Keeper) Keep(ctx context.Context, s Spec) error {
	out, err := k.openLog(ctx, s.Name)
	if err != nil {
		return err
	}
	defer out.Close()
	var wait time.Duration
	for {
		began := time.Now()
		how, err := k.once(ctx, s, out)
		if ctx.Err() != nil {
			return nil
		}
		wait = nextWait(wait, time.Since(began))
		k.Logger.Warn("process ended, restart it", "name", s.Name, "how", how, "error", err, "lived", time.Since(began).Round(time.Millisecond), "wait", wait)
		if err == nil && k.OnDeath != nil {
			k.OnDeath(s.Name)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-k.Clock(wait):
		}
	}
}

// once runs the process to its end and says how it ended.
func (k *Keeper) once(ctx context.Context, s Spec, out *os.File) (string, error) {
	pid, ended, err := k.Reaper.start(s.Path, append([]string{s.Name}, s.Args...), os.Environ(), out)
	if err != nil {
		return "", err
	}
	alive, died := context.WithCancel(ctx)
	defer died()
	go k.watchReady(alive, s)
	select {
	case status := <-ended:
		return describe(status), nil
	case <-ctx.Done():
	}
	return describe(k.stop(s, pid, ended)), nil
}

// stop ends a process, at first politely.
func (k *Keeper) stop(s Spec, pid int, ended <-chan syscall.WaitStatus) syscall.WaitStatus {
	grace := s.Grace
	if grace == 0 {
		grace = 4 * time.Second
	}
	_ = syscall.Kill(pid, syscall.SIGTERM) // ESRCH: it has just ended by itself
	select {
	case status := <-ended:
		return status
	case <-k.Clock(grace):
	}
	k.Logger.Warn("process ignores SIGTERM, kill it", "name", s.Name, "pid", pid)
	_ = syscall.Kill(pid, syscall.SIGKILL)
	return <-ended
}

// readyPoll is how often an unready process is asked.
const readyPoll = 20 * time.Millisecond

func (k *Keeper) watchReady(ctx context.Context, s Spec) {
	for s.Ready != nil && s.Ready(ctx) != nil {
		select {
		case <-ctx.Done():
			return
		case <-k.Clock(readyPoll):
		}
	}
	if ctx.Err() == nil && k.OnReady != nil {
		k.OnReady(s.Name)
	}
}

func describe(s syscall.WaitStatus) string {
	if s.Signaled() {
		return fmt.Sprintf("signal %d (%v)", int(s.Signal()), s.Signal())
	}
	return fmt.Sprintf("exit code %d", s.ExitStatus())
}

// openLog returns the end of a pipe whose other end goes to the process's log; it ends when the returned end and all copies are closed.
func (k *Keeper) openLog(ctx context.Context, name string) (*os.File, error) {
	log, err := openBounded(filepath.Join(k.LogDir, name+".log"), maxLog)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		log.Close()
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	go func() {
		defer log.Close()
		defer in.Close()
		if _, err := io.Copy(log, in); err != nil && ctx.Err() == nil {
			k.Logger.Error("log ends", "name", name, "error", err)
			_, _ = io.Copy(io.Discard, in) // a full disk must not block the process in write
		}
	}()
	return out, nil
}
