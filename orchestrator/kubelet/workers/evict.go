package workers

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/rotation"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/status"
)

// eviction ends a pod because the node needs its place.
type eviction struct {
	verdict status.Verdict
	grace   int64 // seconds
}

// Evict ends a pod with that verdict, within grace seconds.
func (m *Manager) Evict(uid types.UID, verdict status.Verdict, grace int64) {
	w := m.worker(uid)
	if w == nil {
		return
	}
	w.mu.Lock()
	first := w.evicted == nil
	pod := w.desired
	if first {
		w.evicted = &eviction{verdict, grace}
		if w.interrupt != nil {
			w.interrupt()
		}
	}
	w.mu.Unlock()
	if first {
		m.node.podEvent(pod, corev1.EventTypeWarning, verdict.Reason, verdict.Message)
		w.poke()
	}
}

// Logs of the containers that run, for rotation.
func (m *Manager) Logs() []rotation.Log {
	m.mu.Lock()
	all := make([]*worker, 0, len(m.workers))
	for _, w := range m.workers {
		all = append(all, w)
	}
	m.mu.Unlock()
	var logs []rotation.Log
	for _, w := range all {
		observed := w.seen.Load()
		if observed == nil {
			continue
		}
		for _, c := range observed.Containers {
			if c.State == runtime.Running && c.LogPath != "" {
				logs = append(logs, rotation.Log{ContainerID: c.ID, Path: c.LogPath})
			}
		}
	}
	return logs
}
