package tainteviction

import (
	"sync"
	"time"

	core "k8s.io/api/core/v1"
)

// seen remembers since when nodes have their NoExecute taints. A toleration is counted from then, however often the pod is looked at.
type seen struct {
	mu sync.Mutex
	// since, by node and taint: guarded by mu.
	since map[string]map[identity]time.Time
}

// identity is a taint without the time at which it was added.
type identity struct{ key, value string }

func of(t *core.Taint) identity { return identity{t.Key, t.Value} }

// note takes in a node's taints: those that are new came now, those that are gone are forgotten.
func (s *seen) note(node *core.Node, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := map[identity]time.Time{}
	for i := range node.Spec.Taints {
		t := &node.Spec.Taints[i]
		if t.Effect != core.TaintEffectNoExecute {
			continue
		}
		kept[of(t)] = now
		if before, known := s.since[node.Name][of(t)]; known {
			kept[of(t)] = before
		}
	}
	if len(kept) == 0 {
		delete(s.since, node.Name)
		return
	}
	if s.since == nil {
		s.since = map[string]map[identity]time.Time{}
	}
	s.since[node.Name] = kept
}

// on returns since when a node has a taint that was noted.
func (s *seen) on(node string) func(*core.Taint) time.Time {
	return func(t *core.Taint) time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.since[node][of(t)]
	}
}
