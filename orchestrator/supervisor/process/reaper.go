// Package process starts the processes of a node, keeps them alive, and reaps every child of PID 1, its own and orphaned ones.
//
// It is fed specs by the supervisor and tells it of readiness and of deaths; what the processes do is none of its business.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Reaper waits for all children of this process. It is the only one that may: whoever else calls wait steals its news.
type Reaper struct {
	mu sync.Mutex
	// waiting holds who wants to know of the end of a process, by pid. Starting holds mu from fork to registration, so that no end is missed.
	waiting map[int]chan syscall.WaitStatus
}

// NewReaper returns a reaper that has not begun: call Run.
func NewReaper() *Reaper { return &Reaper{waiting: map[int]chan syscall.WaitStatus{}} }

// Run reaps until ctx ends.
func (r *Reaper) Run(ctx context.Context) {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	defer signal.Stop(children)
	for {
		r.reap()
		select {
		case <-ctx.Done():
			return
		case <-children:
		}
	}
}

// reap collects every child that has ended; one signal may stand for several.
func (r *Reaper) reap() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if ended, ours := r.waiting[pid]; ours {
			delete(r.waiting, pid)
			ended <- status
		}
	}
}

// start forks and executes; the channel gets the status when the process ends.
func (r *Reaper) start(path string, argv []string, env []string, out *os.File) (int, <-chan syscall.WaitStatus, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, nil, err
	}
	defer null.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{
		Env:   env,
		Files: []uintptr{null.Fd(), out.Fd(), out.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, nil, fmt.Errorf("start %s: %w", path, err)
	}
	ended := make(chan syscall.WaitStatus, 1)
	r.waiting[pid] = ended
	return pid, ended, nil
}
