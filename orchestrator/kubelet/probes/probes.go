// Package probes asks containers whether they have started, live, and are ready, each probe in a goroutine of its own.
//
// Workers tell it which pods exist and read its results; a result that changes wakes the pod's worker. It never stops a container itself.
package probes

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// Kind of probe.
type Kind string

// Kinds, as events name them.
const (
	Startup   Kind = "Startup"
	Liveness  Kind = "Liveness"
	Readiness Kind = "Readiness"
)

// Current is what a probe must know of its container at this moment.
type Current struct {
	ID      string
	Running bool
	Started time.Time
	PodIP   string
}

// Config of a manager.
type Config struct {
	Exec Exec
	// Look returns the container's newest start; false when there is none.
	Look func(uid types.UID, container string) (Current, bool)
	// Wake is called when a result of a pod changed.
	Wake func(uid types.UID)
	// Event records about a container.
	Event func(pod *corev1.Pod, m podinfo.Member, kind, reason, message string)
}

// Manager runs probes.
type Manager struct {
	cfg     Config
	metrics *metrics

	mu      sync.Mutex
	running map[key]*prober
	results map[resultKey]bool
}

type key struct {
	uid       types.UID
	container string
	kind      Kind
}

type resultKey struct {
	containerID string
	kind        Kind
}

// New makes a manager; nothing runs yet.
func New(cfg Config) *Manager {
	return &Manager{cfg: cfg, metrics: newMetrics(), running: map[key]*prober{}, results: map[resultKey]bool{}}
}

// Sync makes the probes of a pod run, in goroutines that end with ctx, and hands them its newest form.
func (m *Manager) Sync(ctx context.Context, pod *corev1.Pod) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, member := range podinfo.Members(pod) {
		if member.Sort == podinfo.Init || member.Sort == podinfo.Ephemeral {
			continue
		}
		c := member.Container
		for kind, probe := range map[Kind]*corev1.Probe{Startup: c.StartupProbe, Liveness: c.LivenessProbe, Readiness: c.ReadinessProbe} {
			if probe == nil {
				continue
			}
			k := key{pod.UID, c.Name, kind}
			if p := m.running[k]; p != nil {
				p.update(pod, member, probe)
				continue
			}
			p := &prober{manager: m, key: k, pod: pod, member: member, probe: probe}
			m.running[k] = p
			go p.run(ctx)
		}
	}
}

// Forget drops the results of a pod's containers; its goroutines end with the context they were given.
func (m *Manager) Forget(uid types.UID, containerIDs []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, p := range m.running {
		if k.uid == uid {
			pod, _, _ := p.spec()
			m.metrics.forget(uid, pod)
			delete(m.running, k)
		}
	}
	for _, id := range containerIDs {
		for _, kind := range []Kind{Startup, Liveness, Readiness} {
			delete(m.results, resultKey{id, kind})
		}
	}
}

// Result of a container's probe; known is false before the first decision.
func (m *Manager) Result(containerID string, kind Kind) (ok, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ok, known = m.results[resultKey{containerID, kind}]
	return ok, known
}

func (m *Manager) set(uid types.UID, containerID string, kind Kind, ok bool) {
	m.mu.Lock()
	old, known := m.results[resultKey{containerID, kind}]
	m.results[resultKey{containerID, kind}] = ok
	m.mu.Unlock()
	if !known || old != ok {
		m.cfg.Wake(uid)
	}
}

// started is true when a container has no startup probe or has passed it.
func (m *Manager) started(id string, c *corev1.Container) bool {
	if c.StartupProbe == nil {
		return true
	}
	ok, known := m.Result(id, Startup)
	return known && ok
}
