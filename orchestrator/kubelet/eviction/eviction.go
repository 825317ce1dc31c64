// Package eviction protects the node: when memory, disk or process IDs run short it says so in the node's conditions and ends pods, the ones
// that take more than they asked for first.
//
// It is fed observations (files of the kernel, asked for every ten seconds), the configured thresholds and the pods of the workers; it asks
// the workers to end pods and the node's reporter to publish conditions. Deciding (thresholds, ranking, limits) is pure. Rules and words are
// those of "Node-pressure Eviction".
package eviction

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/status"
)

// Every is the time between two looks.
const Every = 10 * time.Second

// Config of a manager.
type Config struct {
	Thresholds []Threshold
	// Transition is how long a condition stays after its threshold was last met.
	Transition time.Duration
	// MaxPodGrace in seconds bounds what a pod may take to stop after a soft threshold.
	MaxPodGrace int64
	Observe     func(ctx context.Context) (Observations, error)
	// Usage of the pods that run; it is asked only when something has to be decided.
	Usage func(ctx context.Context) ([]Usage, error)
	// Limited lists pods that may use more of the disk than they are allowed to, with what they use.
	Limited func(ctx context.Context) ([]Usage, error)
	// Reclaim frees disk space without ending a pod: images that nobody uses.
	Reclaim func(ctx context.Context) error
	Evict   func(uid types.UID, verdict status.Verdict, grace int64)
	// Changed is told when conditions did.
	Changed func()
	// Event about the node.
	Event  func(kind, reason, message string)
	Now    func() time.Time
	Logger *slog.Logger
}

// Manager watches one node.
type Manager struct {
	Config

	met map[Threshold]time.Time // since when

	mu     sync.Mutex
	lastly map[corev1.NodeConditionType]time.Time // when a threshold of that condition was last met
}

// New makes a manager.
func New(c Config) *Manager {
	return &Manager{Config: c, met: map[Threshold]time.Time{}, lastly: map[corev1.NodeConditionType]time.Time{}}
}

// Run looks until ctx ends.
func (m *Manager) Run(ctx context.Context) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := m.Look(ctx); err != nil && ctx.Err() == nil {
				m.Logger.Warn("look for pressure", "err", err)
			}
		}
	}
}

// Pressure returns the conditions that are true now.
func (m *Manager) Pressure() map[corev1.NodeConditionType]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, true_ := m.Now(), map[corev1.NodeConditionType]bool{}
	for c, at := range m.lastly {
		if now.Sub(at) < m.Transition || now.Equal(at) {
			true_[c] = true
		}
	}
	return true_
}

// Look observes once and ends at most one pod for pressure.
func (m *Manager) Look(ctx context.Context) error {
	if err := m.enforceLimits(ctx); err != nil {
		return err
	}
	seen, err := m.Observe(ctx)
	if err != nil {
		return err
	}
	due := m.track(seen)
	if len(due) == 0 {
		return nil
	}
	t := due[0]
	m.Event(corev1.EventTypeWarning, "EvictionThresholdMet", "Attempting to reclaim "+string(t.resource()))
	if t.condition() == corev1.NodeDiskPressure {
		if err := m.Reclaim(ctx); err != nil {
			m.Logger.Info("reclaim disk space", "err", err)
		}
		if seen, err = m.Observe(ctx); err != nil || !t.metBy(seen, true) {
			return err
		}
	}
	pods, err := m.Usage(ctx)
	if err != nil {
		return fmt.Errorf("what pods use: %w", err)
	}
	ranked := rank(t, pods)
	if len(ranked) == 0 {
		m.Logger.Warn("nothing can be evicted", "signal", t.Signal)
		return nil
	}
	m.evict(t, seen[t.Signal], ranked[0])
	return nil
}

func (m *Manager) evict(t Threshold, seen Observation, victim Usage) {
	grace := immediately
	if t.Grace > 0 {
		grace = min(m.MaxPodGrace, gracePeriod(victim.Pod))
	}
	limit := t.value(seen.Capacity)
	message := fmt.Sprintf("The node was low on resource: %s. Threshold quantity: %s, available: %s. ", t.resource(), &limit, kibi(seen.Available)) + blame(t, victim)
	m.Logger.Info("evict", "pod", victim.Pod.Namespace+"/"+victim.Pod.Name, "why", message)
	m.Evict(victim.Pod.UID, status.Verdict{Reason: Reason, Message: message, Disruption: true}, grace)
}

// enforceLimits ends every pod that uses more of the disk than its spec allows.
func (m *Manager) enforceLimits(ctx context.Context) error {
	pods, err := m.Limited(ctx)
	if err != nil {
		return fmt.Errorf("what limited pods use: %w", err)
	}
	for _, u := range pods {
		if message := exceeded(u); message != "" {
			m.Evict(u.Pod.UID, status.Verdict{Reason: Reason, Message: message}, immediately)
		}
	}
	return nil
}

// Reason of pods that were evicted.
const Reason = "Evicted"

// immediately is the grace in seconds of a pod that cannot be waited for.
const immediately = int64(1)

func kibi(n int64) string { return resource.NewQuantity(n, resource.BinarySI).String() }

// track remembers which thresholds are met since when, and returns those whose grace is over, memory first.
func (m *Manager) track(seen Observations) []Threshold {
	now := m.Now()
	before := m.Pressure()
	var due []Threshold
	for _, t := range m.Thresholds {
		since, was := m.met[t]
		if !t.metBy(seen, was) {
			delete(m.met, t)
			continue
		}
		if !was {
			since = now
			m.met[t] = since
		}
		m.mu.Lock()
		m.lastly[t.condition()] = now
		m.mu.Unlock()
		if now.Sub(since) >= t.Grace {
			due = append(due, t)
		}
	}
	after := m.Pressure()
	for _, c := range []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure} {
		if before[c] != after[c] {
			m.Changed()
			break
		}
	}
	byUrgency(due)
	return due
}

func gracePeriod(pod *corev1.Pod) int64 {
	if g := pod.Spec.TerminationGracePeriodSeconds; g != nil {
		return *g
	}
	return corev1.DefaultTerminationGracePeriodSeconds
}
