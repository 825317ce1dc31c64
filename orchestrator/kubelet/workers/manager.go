package workers

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/backoff"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/probes"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// Manager has one worker per pod.
type Manager struct {
	node *Node

	mu      sync.Mutex
	workers map[types.UID]*worker
	ctx     context.Context // of running workers; nil before Run
	group   sync.WaitGroup
	// synced says that the source has shown every pod: only then is what nobody wants an orphan.
	synced func() bool
}

// New makes a manager; synced is asked before orphans are looked for.
func New(node *Node, synced func() bool) *Manager {
	node.crashes = backoff.New(crashFirst, crashMax)
	m := &Manager{node: node, workers: map[types.UID]*worker{}, synced: synced}
	node.predecessor = m.predecessor
	return m
}

// Run lets workers work until ctx ends, and returns when all have stopped. Pods stay as they are.
func (m *Manager) Run(ctx context.Context) {
	m.mu.Lock()
	m.ctx = ctx
	for uid, w := range m.workers {
		m.launch(uid, w)
	}
	m.mu.Unlock()
	<-ctx.Done()
	m.group.Wait()
}

// launch needs m.mu.
func (m *Manager) launch(uid types.UID, w *worker) {
	ctx := m.ctx
	if ctx == nil || ctx.Err() != nil {
		return
	}
	m.group.Go(func() {
		w.run(ctx)
		if ctx.Err() == nil {
			m.mu.Lock()
			delete(m.workers, uid)
			m.mu.Unlock()
		}
	})
}

// Set hands over a pod of the source.
func (m *Manager) Set(pod *corev1.Pod) {
	m.mu.Lock()
	w := m.workers[pod.UID]
	if w == nil {
		w = newWorker(m.node, pod, false)
		m.workers[pod.UID] = w
		m.launch(pod.UID, w)
		m.mu.Unlock()
		return
	}
	m.mu.Unlock()
	w.update(pod)
}

// Gone says that the source no longer has a pod.
func (m *Manager) Gone(uid types.UID) {
	if w := m.worker(uid); w != nil {
		w.update(nil)
	}
}

func (m *Manager) worker(uid types.UID) *worker {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.workers[uid]
}

// Wake makes a pod be looked at; an empty UID all of them, and what nobody wants is cleaned up.
func (m *Manager) Wake(uid string) {
	if uid != "" {
		if w := m.worker(types.UID(uid)); w != nil {
			w.poke()
		}
		return
	}
	m.mu.Lock()
	all := make([]*worker, 0, len(m.workers))
	for _, w := range m.workers {
		all = append(all, w)
	}
	m.mu.Unlock()
	for _, w := range all {
		w.poke()
	}
	if m.synced() {
		m.orphans()
		m.pruneMirrors()
	}
}

// orphans are pods in the runtime, or folders, that no worker owns.
func (m *Manager) orphans() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx == nil {
		return
	}
	ctx, cancel := context.WithTimeout(m.ctx, 10*time.Second)
	defer cancel()
	found, err := m.node.Runtime.UIDs(ctx)
	if err != nil {
		m.node.Logger.Info("look for orphans", "err", err)
		return
	}
	left, err := m.node.Volumes.Left()
	if err != nil {
		m.node.Logger.Info("look for orphans", "err", err)
	}
	for _, uid := range left {
		if found[string(uid)] == nil {
			found[string(uid)] = &runtime.Pod{UID: string(uid), Name: "unknown", Namespace: "unknown"}
		}
	}
	for uid, p := range found {
		id := types.UID(uid)
		if m.workers[id] != nil {
			continue
		}
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: id, Name: p.Name, Namespace: p.Namespace}}
		w := newWorker(m.node, pod, true)
		m.workers[id] = w
		m.launch(id, w)
	}
}

// Pods lists the pods of this node.
func (m *Manager) Pods() []*corev1.Pod {
	m.mu.Lock()
	defer m.mu.Unlock()
	pods := make([]*corev1.Pod, 0, len(m.workers))
	for _, w := range m.workers {
		w.mu.Lock()
		if !w.gone {
			pods = append(pods, w.current())
		}
		w.mu.Unlock()
	}
	return pods
}

// Find returns the pod of that name, nil without one.
func (m *Manager) Find(namespace, name string) *corev1.Pod {
	for _, pod := range m.Pods() {
		if pod.Namespace == namespace && pod.Name == name {
			return pod
		}
	}
	return nil
}

// Observed is what was last seen of a pod, nil before.
func (m *Manager) Observed(uid types.UID) *runtime.Pod {
	if w := m.worker(uid); w != nil {
		return w.seen.Load()
	}
	return nil
}

// Look serves probes.
func (m *Manager) Look(uid types.UID, container string) (probes.Current, bool) {
	w := m.worker(uid)
	if w == nil {
		return probes.Current{}, false
	}
	observed := w.seen.Load()
	c := observed.Latest(container)
	if c == nil {
		return probes.Current{}, false
	}
	w.mu.Lock()
	pod := w.desired
	w.mu.Unlock()
	current := probes.Current{ID: c.ID, Running: c.State == runtime.Running, Started: c.Started}
	if ips := m.node.place(pod, observed).PodIPs; len(ips) > 0 {
		current.PodIP = ips[0]
	}
	return current, true
}

// Admitted lists the pods that hold this node's resources, besides one: they were let in, and are not over.
func (m *Manager) Admitted(besides types.UID) []*corev1.Pod {
	m.mu.Lock()
	defer m.mu.Unlock()
	var pods []*corev1.Pod
	for uid, w := range m.workers {
		if uid != besides && w.holds.Load() {
			w.mu.Lock()
			pods = append(pods, w.desired)
			w.mu.Unlock()
		}
	}
	return pods
}
