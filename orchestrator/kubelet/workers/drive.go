package workers

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/status"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/volumes"
)

// drive brings a pod that should run one step further.
func (w *worker) drive(ctx, probing context.Context) outcome {
	w.node.Objects.Register(string(w.pod.UID), w.pod)
	w.allocate()
	plan := step(View{Pod: w.pod, Runtime: w.observed, Started: w.started, Failed: w.failed, Resized: w.resized, Wait: w.wait})
	w.tellWaiting(plan)
	w.publish(ctx, plan.Done, false)
	if ctx.Err() != nil {
		return repeat
	}
	if plan.Done {
		w.ended = true
		return repeat
	}
	w.node.Probes.Sync(probing, w.pod)
	if !w.prepared {
		if err := w.prepare(); err != nil {
			w.logger.Warn("prepare", "err", err)
			w.node.podEvent(w.pod, corev1.EventTypeWarning, "FailedCreatePodContainer", "unable to ensure pod container exists: "+err.Error())
			w.again(retry)
			return idle
		}
		w.prepared = true
	}
	ready, ok := w.mount(ctx)
	if !ok {
		return idle
	}
	return w.act(ctx, plan, ready)
}

const (
	firstMountTry = 500 * time.Millisecond
	lastMountTry  = 2*time.Minute + 2*time.Second
)

// mount keeps volumes current; without them nothing new starts.
func (w *worker) mount(ctx context.Context) (map[string]volumes.Mounted, bool) {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ready, refresh, err := w.node.Volumes.Setup(limited, w.pod)
	if err != nil {
		if ctx.Err() == nil {
			w.node.podEvent(w.pod, corev1.EventTypeWarning, "FailedMount", err.Error())
			w.logger.Info("mount", "err", err)
		}
		w.mountTry = min(max(2*w.mountTry, firstMountTry), lastMountTry)
		w.again(w.mountTry)
		return nil, false
	}
	w.mountTry = 0
	if !refresh.IsZero() {
		w.again(time.Until(refresh))
	}
	return ready, true
}

// act carries a plan out and reports whether there is something new to look at.
func (w *worker) act(ctx context.Context, plan Plan, ready map[string]volumes.Mounted) outcome {
	if plan.NewSandbox {
		return w.replaceSandbox(ctx, plan.Attempt)
	}
	for _, s := range plan.Stop {
		w.stopContainer(ctx, s.Member, s.Target, s.Message, w.graceOf(s))
	}
	acted := len(plan.Stop) > 0 || w.resizeAll(ctx, plan)
	for _, s := range plan.Start {
		if ctx.Err() != nil {
			return repeat
		}
		if s.After != nil {
			w.node.crashes.Next(crashKey(w.pod.UID, s.Member.Container.Name), time.Now())
		}
		name := s.Member.Container.Name
		if why := w.startContainer(ctx, s, ready); why != nil {
			if ctx.Err() == nil {
				w.waiting[name] = why.Waiting
				w.logger.Info("start a container", "container", name, "err", why)
				w.again(crashFirst)
				w.publish(ctx, false, false)
			}
			acted = acted || why.Reason == reasonRun || why.Reason == reasonHook
			continue
		}
		delete(w.waiting, name)
		acted = true
	}
	for _, left := range plan.Waiting {
		w.again(left)
	}
	if acted {
		return repeat
	}
	w.prune(ctx)
	return idle
}

// resizeAll reports whether some container has new resources now.
func (w *worker) resizeAll(ctx context.Context, plan Plan) bool {
	w.resizeError = ""
	done := false
	for _, r := range plan.Resize {
		if err := w.resize(ctx, r.Member, r.Target); err != nil {
			w.logger.Info("resize", "err", err)
			w.resizeError = err.Error()
			w.again(5 * retry)
			continue
		}
		done = true
	}
	if w.resizeError == "" {
		if err := w.settle(); err != nil {
			w.logger.Info("resize", "err", err)
			w.again(5 * retry)
		}
	}
	return done
}

func (w *worker) graceOf(s Stop) int64 {
	g := podinfo.GracePeriod(w.pod)
	probe := s.Member.Container.LivenessProbe
	if s.Probe == "startup" {
		probe = s.Member.Container.StartupProbe
	}
	if s.Probe != "" && probe != nil && probe.TerminationGracePeriodSeconds != nil {
		g = *probe.TerminationGracePeriodSeconds
	}
	return g
}

func (w *worker) replaceSandbox(ctx context.Context, attempt uint32) outcome {
	if attempt > 0 {
		w.node.podEvent(w.pod, corev1.EventTypeNormal, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
		if err := w.stopAll(ctx, podinfo.GracePeriod(w.pod)); err != nil {
			w.logger.Warn("stop an old sandbox", "err", err)
			w.again(retry)
			return idle
		}
	}
	if err := w.createSandbox(ctx, attempt); err != nil {
		if ctx.Err() != nil {
			return repeat
		}
		w.logger.Warn("create the sandbox", "err", err)
		w.again(2 * retry)
		return idle
	}
	return repeat
}

// wait is what is left of a container's back-off, counted from its end.
func (w *worker) wait(m podinfo.Member, c *runtime.Container) time.Duration {
	return w.node.crashes.Remaining(crashKey(w.pod.UID, m.Container.Name), c.Finished, time.Now())
}

// tellWaiting shows back-offs in the status, and in one event each.
func (w *worker) tellWaiting(plan Plan) {
	for name, reason := range w.waiting {
		if reason.Reason == "CrashLoopBackOff" {
			delete(w.waiting, name)
		}
	}
	for name := range plan.Waiting {
		full := w.node.crashes.Wait(crashKey(w.pod.UID, name), time.Now())
		who := fmt.Sprintf("%s_%s(%s)", w.pod.Name, w.pod.Namespace, w.pod.UID)
		w.waiting[name] = status.Waiting{Reason: "CrashLoopBackOff", Message: fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", full, name, who)}
		if c := w.observed.Latest(name); !w.told[c.ID] {
			w.told[c.ID] = true
			m, _ := podinfo.Find(w.pod, name)
			w.node.event(w.pod, m, corev1.EventTypeWarning, "BackOff", fmt.Sprintf("Back-off restarting failed container %s in pod %s", name, who))
		}
	}
}

// publish writes the status as it is now.
func (w *worker) publish(ctx context.Context, done, stopping bool) bool {
	if w.removed {
		return true
	}
	want := status.Compute(status.Seen{
		Pod: w.pod, Runtime: w.observed, Waiting: w.waiting, Started: w.started, Ready: w.ready, Done: done, Stopping: stopping,
		SandboxUsable: usable(w.pod, w.observed.Sandbox()), HostIPs: w.node.HostIPs, Verdict: w.verdict, Resize: w.resizeConditions(), Actuated: w.actuated, Now: metav1.Now().Rfc3339Copy(),
	})
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if podinfo.IsStatic(w.pod) {
		return w.publishStatic(limited, want)
	}
	updated, err := w.node.Status.Publish(limited, w.pod, want)
	switch {
	case err == nil:
		pod := w.pod.DeepCopy()
		pod.Status, pod.ResourceVersion = updated.Status, updated.ResourceVersion
		w.pod = pod
		return true
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return true // it is gone, or another has its name: the source will say so
	case errors.Is(err, context.Canceled):
	default:
		w.logger.Info("publish", "err", err)
	}
	w.again(retry)
	return false
}
