package workers

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/cgroups"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/probes"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/status"
)

// worker makes one pod be what its spec says, until the pod is gone from the API and from this node.
type worker struct {
	node    *Node
	logger  *slog.Logger
	wake    chan struct{}
	born    time.Time
	seen    atomic.Pointer[runtime.Pod] // the last observation, for probes
	deleted atomic.Bool                 // the API was asked to remove it
	holds   atomic.Bool                 // the pod was admitted and is not over: it takes its share of the node
	shown   atomic.Pointer[corev1.Pod]  // a static pod with the status that this worker came to; nil before, and for others

	mu        sync.Mutex
	desired   *corev1.Pod
	gone      bool               // the API no longer has it
	interrupt context.CancelFunc // of what the worker is busy with
	evicted   *eviction          // the node wants its place
	stopping  map[string]bool    // containers whose preStop hook has begun

	// Below: touched by the worker's goroutine alone.
	pod      *corev1.Pod
	removed  bool // gone, as of this round
	observed *runtime.Pod
	waiting  map[string]status.Waiting
	hooked   map[string]bool // containers whose postStart hook is over
	told     map[string]bool // back-offs already told of, by container ID
	admitted bool
	prepared bool
	ended    bool // stopped for good and cleaned up
	resumed  bool // a static pod's mirror was looked at for what the kubelet before had come to
	verdict  *status.Verdict
	hasty    *int64    // grace in seconds that an eviction leaves
	due      time.Time // of the next look without a wake
	mountTry time.Duration

	allocated   resources                              // what this node agreed to give
	actuated    map[string]corev1.ResourceRequirements // by container ID: what its cgroup was given
	limits      cgroups.Limits                         // of the pod's cgroup
	pending     *status.Verdict                        // why a resize is not allocated
	resizeError string                                 // of the last attempt to actuate one
}

func newWorker(node *Node, pod *corev1.Pod, gone bool) *worker {
	return &worker{
		node: node, desired: pod, gone: gone, logger: node.Logger.With("pod", podinfo.Key(pod), "uid", pod.UID), wake: make(chan struct{}, 1), born: time.Now(),
		stopping: map[string]bool{}, waiting: map[string]status.Waiting{}, hooked: map[string]bool{}, told: map[string]bool{}, actuated: map[string]corev1.ResourceRequirements{},
	}
}

// update hands over a newer form of the pod (nil: it is gone) and interrupts the worker when the pod must stop, or stop faster.
func (w *worker) update(pod *corev1.Pod) {
	w.mu.Lock()
	hurry := (pod == nil && !w.deleted.Load()) || (pod != nil && stopsSooner(w.desired, pod))
	if pod == nil {
		w.gone = true
	} else {
		w.desired = pod
	}
	if hurry && w.interrupt != nil {
		w.interrupt()
	}
	w.mu.Unlock()
	w.poke()
}

func stopsSooner(old, pod *corev1.Pod) bool {
	if pod.DeletionTimestamp == nil {
		return false
	}
	if old.DeletionTimestamp == nil {
		return true
	}
	return grace(pod) < grace(old)
}

// grace in seconds that a pod may still take to stop.
func grace(pod *corev1.Pod) int64 {
	if g := pod.DeletionGracePeriodSeconds; g != nil {
		return *g
	}
	return podinfo.GracePeriod(pod)
}

func (w *worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// again asks for a look in d, unless one is due before.
func (w *worker) again(d time.Duration) {
	if due := time.Now().Add(d); w.due.IsZero() || due.Before(w.due) {
		w.due = due
	}
}

// run works until the pod is gone and nothing is left of it, or ctx ends (then everything stays as it is, for the next kubelet).
func (w *worker) run(ctx context.Context) {
	probing, endProbing := context.WithCancel(ctx)
	defer endProbing()
	for ctx.Err() == nil {
		round := w.begin(ctx)
		w.due = time.Time{}
		outcome := w.round(round, probing)
		w.finish()
		switch outcome {
		case over:
			return
		case repeat:
			continue
		}
		w.again(w.node.Resync)
		timer := time.NewTimer(time.Until(w.due))
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (w *worker) begin(ctx context.Context) context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.wake: // what woke it is seen by this round
	default:
	}
	w.removed = w.gone
	if e := w.evicted; e != nil && w.verdict == nil && !w.ended {
		w.verdict, w.hasty = &e.verdict, &e.grace
	}
	w.pod = w.merged(w.desired)
	round, cancel := context.WithCancel(ctx)
	w.interrupt = cancel
	return round
}

// merged keeps the status that this worker wrote itself while the informer still shows an older one.
func (w *worker) merged(desired *corev1.Pod) *corev1.Pod {
	if podinfo.IsStatic(desired) {
		return w.mergedStatic(desired)
	}
	if w.pod == nil || len(w.pod.ResourceVersion) < len(desired.ResourceVersion) ||
		(len(w.pod.ResourceVersion) == len(desired.ResourceVersion) && w.pod.ResourceVersion <= desired.ResourceVersion) {
		return desired
	}
	pod := desired.DeepCopy()
	pod.Status, pod.ResourceVersion = w.pod.Status, w.pod.ResourceVersion
	return pod
}

func (w *worker) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interrupt()
	w.interrupt = nil
}

// outcome of a round.
type outcome int

const (
	idle   outcome = iota // wait until woken
	repeat                // something was done: look again
	over                  // nothing is left
)

// retry is the wait after an error of the runtime or the API.
const retry = time.Second

// round observes, decides and acts once.
func (w *worker) round(ctx, probing context.Context) outcome {
	observed, err := w.node.Runtime.Observe(ctx, string(w.pod.UID))
	if err != nil {
		if ctx.Err() == nil {
			w.logger.Warn("observe", "err", err)
		}
		w.again(retry)
		return idle
	}
	w.observed = observed
	w.seen.Store(observed)
	if w.mustEnd() {
		return w.end(ctx)
	}
	if w.node.predecessor(w.pod) {
		w.again(retry)
		return idle
	}
	if !w.admit() {
		return repeat // the verdict ends it
	}
	return w.drive(ctx, probing)
}

// mustEnd is true for a pod that should not run, or no longer.
func (w *worker) mustEnd() bool {
	if w.removed || w.ended || w.pod.DeletionTimestamp != nil || w.verdict != nil || podinfo.Terminal(w.pod) {
		return true
	}
	limit := w.pod.Spec.ActiveDeadlineSeconds
	if limit == nil || w.pod.Status.StartTime == nil {
		return false
	}
	left := time.Until(w.pod.Status.StartTime.Add(time.Duration(*limit) * time.Second))
	if left <= 0 {
		message := "Pod was active on the node longer than the specified deadline"
		w.node.podEvent(w.pod, corev1.EventTypeNormal, "DeadlineExceeded", message)
		w.verdict = &status.Verdict{Reason: "DeadlineExceeded", Message: message}
		return true
	}
	w.again(left)
	return false
}

// admit asks once whether this node can run the pod. What already runs was admitted by the kubelet before.
func (w *worker) admit() bool {
	if w.admitted {
		return true
	}
	if len(w.observed.Sandboxes) == 0 {
		if verdict := w.node.Admit(w.pod); verdict != nil {
			w.node.podEvent(w.pod, corev1.EventTypeWarning, verdict.Reason, verdict.Message)
			w.verdict = verdict
			return false
		}
	}
	w.admitted = true
	w.holds.Store(true)
	return true
}

func (w *worker) podIP() string {
	if ips := w.node.place(w.pod, w.observed).PodIPs; len(ips) > 0 {
		return ips[0]
	}
	return ""
}

func (w *worker) started(m podinfo.Member, c *runtime.Container) bool {
	hook := m.Container.Lifecycle != nil && m.Container.Lifecycle.PostStart != nil
	if hook && !w.hooked[c.ID] && c.Created.After(w.born) {
		return false
	}
	if m.Container.StartupProbe == nil {
		return true
	}
	ok, known := w.node.Probes.Result(c.ID, probes.Startup)
	if !known {
		started, _ := status.Published(w.pod, m, c.ID)
		return started
	}
	return ok
}

func (w *worker) ready(m podinfo.Member, c *runtime.Container) bool {
	if m.Container.ReadinessProbe == nil {
		return true
	}
	ok, known := w.node.Probes.Result(c.ID, probes.Readiness)
	if !known {
		_, ready := status.Published(w.pod, m, c.ID)
		return ready
	}
	return ok
}

// failed names the probe that wants a restart.
func (w *worker) failed(m podinfo.Member, c *runtime.Container) string {
	for _, kind := range []probes.Kind{probes.Startup, probes.Liveness} {
		probe := m.Container.LivenessProbe
		if kind == probes.Startup {
			probe = m.Container.StartupProbe
		}
		if probe == nil {
			continue
		}
		if ok, known := w.node.Probes.Result(c.ID, kind); known && !ok {
			return map[probes.Kind]string{probes.Startup: "startup", probes.Liveness: "liveness"}[kind]
		}
	}
	return ""
}
