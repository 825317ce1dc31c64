package workers

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// A static pod comes from a file: nobody else keeps its status, and its mirror in the API only shows it.

// mergedStatic is the pod with the status that this worker, or the kubelet before it, had come to.
func (w *worker) mergedStatic(desired *corev1.Pod) *corev1.Pod {
	pod := desired.DeepCopy()
	if w.pod != nil {
		pod.Status = w.pod.Status
	} else if published, ok := w.node.Mirrors.Status(desired); ok {
		pod.Status = published
	}
	return pod
}

// publishStatic keeps the status and shows it by the mirror. A pod of a file runs whether or not the API hears of it.
func (w *worker) publishStatic(ctx context.Context, want corev1.PodStatus) bool {
	w.keep(want)
	mirror, err := w.node.Mirrors.Ensure(ctx, w.pod)
	if err == nil && w.resume(mirror.Status) {
		w.poke()
		return true
	}
	if err == nil {
		var updated *corev1.Pod
		if updated, err = w.node.Status.Publish(ctx, mirror, withOthers(want, mirror.Status)); err == nil && updated != mirror {
			w.node.Mirrors.Set(updated)
		}
	}
	if err != nil && !apierrors.IsNotFound(err) && !errors.Is(err, context.Canceled) {
		w.logger.Info("publish", "err", err)
	}
	if err != nil {
		w.again(retry)
	}
	return true
}

func (w *worker) keep(s corev1.PodStatus) {
	pod := w.pod.DeepCopy()
	pod.Status = s
	w.pod = pod
	w.shown.Store(pod)
}

// resume goes on from what the mirror shows if the pod was running before this kubelet was, and knew nothing of it when it began.
func (w *worker) resume(shown corev1.PodStatus) bool {
	first := !w.resumed
	w.resumed = true
	if !first || shown.StartTime == nil || w.pod.Status.StartTime == nil || !shown.StartTime.Before(w.pod.Status.StartTime) {
		return false
	}
	w.keep(shown)
	return true
}

// current is the pod as the node has it: an API's pod as the API does, a file's with the status that its worker came to. It needs w.mu.
func (w *worker) current() *corev1.Pod {
	if pod := w.shown.Load(); pod != nil {
		return pod
	}
	return w.desired
}

// withOthers keeps the conditions that somebody else wrote on the mirror.
func withOthers(want, mirror corev1.PodStatus) corev1.PodStatus {
	have := map[corev1.PodConditionType]bool{}
	for _, c := range want.Conditions {
		have[c.Type] = true
	}
	conditions := want.Conditions[:len(want.Conditions):len(want.Conditions)]
	for _, c := range mirror.Conditions {
		if !have[c.Type] {
			conditions = append(conditions, c)
		}
	}
	want.Conditions = conditions
	return want
}

// predecessor is true while the worker of a file's former pod is not over: two of them would fight for ports and names.
func (m *Manager) predecessor(pod *corev1.Pod) bool {
	if !podinfo.IsStatic(pod) {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for uid, w := range m.workers {
		w.mu.Lock()
		other := uid != pod.UID && w.gone && podinfo.Key(w.desired) == podinfo.Key(pod)
		w.mu.Unlock()
		if other {
			return true
		}
	}
	return false
}

// pruneMirrors removes mirrors whose files are gone.
func (m *Manager) pruneMirrors() {
	m.mu.Lock()
	ctx := m.ctx
	m.mu.Unlock()
	if ctx == nil {
		return
	}
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	has := func(uid types.UID) bool { return m.worker(uid) != nil }
	if err := m.node.Mirrors.Prune(limited, has); err != nil && ctx.Err() == nil {
		m.node.Logger.Info("prune mirror pods", "err", err)
	}
}
