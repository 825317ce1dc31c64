package process

import (
	"log/slog"
	"os"
	"syscall"
	"time"
)

// evictGrace is how long orphans (shims, containers' processes) may take to end at the very end.
const evictGrace = time.Second

// Evict ends every process that is left, at first politely. Only PID 1 does: for anyone else "every process" is not its own.
func (r *Reaper) Evict(logger *slog.Logger) {
	if os.Getpid() != 1 {
		return
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(-1, signal); err != nil {
			return // ESRCH: nobody is left
		}
		if r.alone(time.Now().Add(evictGrace)) {
			return
		}
	}
	logger.Warn("processes are left after SIGKILL")
}

// alone waits until this process has no children, or the deadline.
func (r *Reaper) alone(deadline time.Time) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		r.reap()
		if syscall.Kill(-1, 0) == syscall.ESRCH {
			return true
		}
		<-tick.C
	}
	return false
}
