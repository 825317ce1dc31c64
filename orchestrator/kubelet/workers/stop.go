package workers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	utilexec "k8s.io/utils/exec"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/hooks"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// leastGrace is left to a container after its preStop hook used its whole grace period, in seconds.
const leastGrace = 2

// exec runs a command in a container for probes and hooks.
func (w *worker) exec(ctx context.Context, id string, command []string, timeout time.Duration) (string, int, error) {
	return Exec(w.node.Runtime)(ctx, id, command, timeout)
}

// Exec adapts CRI's ExecSync: an exit code is an answer, not an error.
func Exec(client *runtime.Client) func(ctx context.Context, id string, command []string, timeout time.Duration) (string, int, error) {
	return func(ctx context.Context, id string, command []string, timeout time.Duration) (string, int, error) {
		stdout, stderr, err := client.ExecSync(ctx, id, command, timeout)
		output := string(stdout) + string(stderr)
		var exit utilexec.ExitError
		if errors.As(err, &exit) {
			return output, exit.ExitStatus(), nil
		}
		if runtime.IsDeadline(err) {
			return output, 0, context.DeadlineExceeded
		}
		return output, 0, err
	}
}

// stopContainer runs the preStop hook and stops, all within grace seconds (but at least 2 after a hook). It returns when the container is dead.
func (w *worker) stopContainer(ctx context.Context, m podinfo.Member, c *runtime.Container, message string, grace int64) {
	if message == "" {
		message = "Stopping container " + c.Name
	}
	w.node.event(w.pod, m, corev1.EventTypeNormal, "Killing", message)
	left := grace
	if l := m.Container.Lifecycle; l != nil && l.PreStop != nil && grace > 0 && !w.wasStopping(c.ID) {
		begun := time.Now()
		limited, cancel := context.WithTimeout(ctx, time.Duration(grace)*time.Second)
		err := hooks.Run(limited, l.PreStop, m.Container, c.ID, w.podIP(), w.exec)
		cancel()
		if err != nil && ctx.Err() == nil {
			w.node.event(w.pod, m, corev1.EventTypeWarning, "FailedPreStopHook", "PreStopHook failed")
			w.logger.Info("a preStop hook failed", "container", c.Name, "err", err)
		}
		left = max(grace-int64(time.Since(begun).Seconds()), leastGrace)
	}
	if err := w.node.Runtime.StopContainer(ctx, c.ID, left); err != nil && !runtime.IsNotFound(err) && ctx.Err() == nil {
		w.node.event(w.pod, m, corev1.EventTypeWarning, "FailedKillPod", fmt.Sprintf("error killing container: %v", err))
		w.logger.Warn("stop a container", "container", c.Name, "err", err)
	}
}

// wasStopping remembers that a container's preStop hook has begun: it runs once, also when the pod's grace is shortened meanwhile.
func (w *worker) wasStopping(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.stopping[id]
	w.stopping[id] = true
	return was
}

// stopAll stops every container: apps, init and ephemeral ones together; each sidecar after those, the last one written first.
func (w *worker) stopAll(ctx context.Context, grace int64) error {
	deadline := time.Now().Add(time.Duration(grace) * time.Second)
	var sidecars []podinfo.Member
	var wait sync.WaitGroup
	for _, c := range w.observed.Alive() {
		m, known := podinfo.Find(w.pod, c.Name)
		if !known {
			m = podinfo.Member{Sort: podinfo.App, Container: c.Orphan()}
		}
		if m.Sort == podinfo.Sidecar {
			continue
		}
		wait.Go(func() { w.stopContainer(ctx, m, c, "", grace) })
	}
	for _, m := range podinfo.Members(w.pod) {
		if m.Sort == podinfo.Sidecar {
			sidecars = append([]podinfo.Member{m}, sidecars...)
		}
	}
	wait.Wait()
	for _, m := range sidecars {
		for _, c := range w.observed.Alive() {
			if c.Name == m.Container.Name {
				left := max(int64(time.Until(deadline).Seconds()), min(grace, leastGrace))
				w.stopContainer(ctx, m, c, "", left)
			}
		}
	}
	return w.stopSandboxes(ctx)
}

func (w *worker) stopSandboxes(ctx context.Context) error {
	var errs []error
	for _, s := range w.observed.Sandboxes {
		if err := w.node.Runtime.StopPodSandbox(ctx, s.ID); err != nil && !runtime.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("stop sandbox %s: %w", s.ID, err))
		}
	}
	return errors.Join(errs...)
}

// removeAll forgets a pod in the runtime.
func (w *worker) removeAll(ctx context.Context) error {
	var errs []error
	for _, c := range w.observed.Containers {
		errs = append(errs, w.node.Runtime.Remove(ctx, c.ID))
	}
	for _, s := range w.observed.Sandboxes {
		if err := w.node.Runtime.RemovePodSandbox(ctx, s.ID); err != nil && !runtime.IsNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// prune keeps the newest ended start of each container (its log and its last state are asked for) and removes older ones, and dead sandboxes
// that hold none.
func (w *worker) prune(ctx context.Context) {
	kept := map[string]int{}
	inUse := map[string]bool{}
	for _, c := range w.observed.Containers {
		kept[c.Name]++
		if kept[c.Name] > 2 && c.State == runtime.Exited {
			if err := w.node.Runtime.Remove(ctx, c.ID); err != nil {
				w.logger.Info("remove an old container", "err", err)
			}
			continue
		}
		inUse[c.SandboxID] = true
	}
	for i, s := range w.observed.Sandboxes {
		if i > 0 && !s.Ready && !inUse[s.ID] {
			if err := w.node.Runtime.RemovePodSandbox(ctx, s.ID); err != nil && !runtime.IsNotFound(err) {
				w.logger.Info("remove an old sandbox", "err", err)
			}
		}
	}
}
