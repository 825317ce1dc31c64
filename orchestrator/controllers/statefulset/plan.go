package statefulset

import (
	"slices"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/revision"
)

// action is one step to take.
type action struct {
	kind    verb
	ordinal int
	pod     *core.Pod
	// update: the pod is made from the update revision, not from the current one.
	update bool
}

type verb int

const (
	create verb = iota
	remove
	// replace is remove of a pod that ended, told in an event of its own.
	replace
	// repair gives a pod its identity back.
	repair
)

// situation of a set.
type situation struct {
	set             *apps.StatefulSet
	pods            map[int]*core.Pod
	current, update string
	now             time.Time
	// leaving are the ordinals without a pod whose claims must be gone before there is one.
	leaving map[int]bool
	// wait is when an availability changes by time alone.
	wait time.Duration
}

func (s *situation) ordered() bool {
	return s.set.Spec.PodManagementPolicy != apps.ParallelPodManagement
}

func (s *situation) healthy(p *core.Pod) bool {
	return p.DeletionTimestamp == nil && p.Status.Phase == core.PodRunning && pods.Ready(p)
}

func (s *situation) available(p *core.Pod) bool {
	ok, left := pods.Available(p, s.set.Spec.MinReadySeconds, s.now)
	if left > 0 && (s.wait == 0 || left < s.wait) {
		s.wait = left
	}
	return ok && s.healthy(p)
}

// fromUpdate is true when a new pod of that ordinal comes from the update revision.
func (s *situation) fromUpdate(ordinal int) bool {
	if s.current == s.update {
		return true
	}
	strategy := s.set.Spec.UpdateStrategy
	if strategy.Type != apps.RollingUpdateStatefulSetStrategyType {
		return true // with OnDelete, what is deleted comes back new
	}
	if strategy.RollingUpdate == nil {
		return ordinal >= start(s.set)+int(s.set.Status.CurrentReplicas)
	}
	return ordinal >= start(s.set)+partition(s.set)
}

// plan the steps that may be taken now. An ordered set takes one and waits for its effect.
func (s *situation) plan() []action {
	if s.set.DeletionTimestamp != nil {
		return nil
	}
	steps, stop := s.fill()
	if stop {
		return steps
	}
	more, stop := s.shrink()
	steps = append(steps, more...)
	if stop {
		return steps
	}
	return append(steps, s.roll()...)
}

// fill makes the replicas that are missing, from the lowest ordinal.
func (s *situation) fill() (steps []action, stop bool) {
	for ordinal := start(s.set); ordinal < start(s.set)+replicas(s.set); ordinal++ {
		p := s.pods[ordinal]
		switch {
		case p == nil && s.leaving[ordinal]:
			if s.ordered() {
				return steps, true
			}
			continue
		case p == nil:
			steps = append(steps, action{kind: create, ordinal: ordinal, update: s.fromUpdate(ordinal)})
			if s.ordered() {
				return steps, true
			}
			continue
		case p.DeletionTimestamp != nil:
			if s.ordered() {
				return steps, true
			}
			continue
		case pods.Ended(p):
			steps = append(steps, action{kind: replace, ordinal: ordinal, pod: p})
			if s.ordered() {
				return steps, true
			}
			continue
		}
		if c := p.DeepCopy(); identify(s.set, c, ordinal) {
			steps = append(steps, action{kind: repair, ordinal: ordinal, pod: c})
		}
		if !s.available(p) && s.ordered() {
			return steps, true
		}
	}
	return steps, false
}

// shrink deletes what is beyond the replicas, from the highest ordinal. In an ordered set an unhealthy pod may hold others back but not itself.
func (s *situation) shrink() (steps []action, stop bool) {
	var condemned []int
	for ordinal := range s.pods {
		if beyond(s.set, ordinal) {
			condemned = append(condemned, ordinal)
		}
	}
	slices.Sort(condemned)
	slices.Reverse(condemned)
	firstUnhealthy := -1
	for _, ordinal := range condemned {
		if !s.healthy(s.pods[ordinal]) {
			firstUnhealthy = ordinal
		}
	}
	for _, ordinal := range condemned {
		p := s.pods[ordinal]
		if p.DeletionTimestamp != nil {
			if s.ordered() {
				return steps, true
			}
			continue
		}
		if s.ordered() && !s.available(p) && ordinal != firstUnhealthy {
			return steps, true
		}
		steps = append(steps, action{kind: remove, ordinal: ordinal, pod: p})
		if s.ordered() {
			return steps, true
		}
	}
	return steps, len(condemned) > 0 && s.ordered()
}

// roll replaces pods of the old revision from the highest ordinal down to the partition, while no more than maxUnavailable are down.
func (s *situation) roll() (steps []action) {
	if s.set.Spec.UpdateStrategy.Type != apps.RollingUpdateStatefulSetStrategyType {
		return nil
	}
	most := 1
	if r := s.set.Spec.UpdateStrategy.RollingUpdate; r != nil && r.MaxUnavailable != nil {
		if n, err := intstr.GetScaledValueFromIntOrPercent(r.MaxUnavailable, replicas(s.set), false); err == nil {
			most = max(1, n)
		}
	}
	down := 0
	low := start(s.set) + partition(s.set)
	for ordinal := start(s.set) + replicas(s.set) - 1; ordinal >= low && down < most; ordinal-- {
		p := s.pods[ordinal]
		switch {
		case p == nil || p.DeletionTimestamp != nil:
			down++
		case p.Labels[revision.Label] != s.update:
			steps = append(steps, action{kind: remove, ordinal: ordinal, pod: p})
			down++
		case !s.available(p):
			down++
		}
	}
	return steps
}

// status counts the pods, and makes the update revision the current one when the rollout is complete.
func (s *situation) status() apps.StatefulSetStatus {
	next := *s.set.Status.DeepCopy()
	next.ObservedGeneration = s.set.Generation
	next.CurrentRevision, next.UpdateRevision = s.current, s.update
	next.Replicas, next.ReadyReplicas, next.AvailableReplicas, next.CurrentReplicas, next.UpdatedReplicas = 0, 0, 0, 0, 0
	for _, p := range s.pods {
		if p.Status.Phase == "" {
			continue
		}
		next.Replicas++
		if s.healthy(p) || p.Status.Phase == core.PodRunning && pods.Ready(p) {
			next.ReadyReplicas++
			if s.available(p) {
				next.AvailableReplicas++
			}
		}
		if p.DeletionTimestamp == nil {
			if p.Labels[revision.Label] == s.current {
				next.CurrentReplicas++
			}
			if p.Labels[revision.Label] == s.update {
				next.UpdatedReplicas++
			}
		}
	}
	if s.set.Spec.UpdateStrategy.Type == apps.RollingUpdateStatefulSetStrategyType && next.UpdatedReplicas == next.Replicas && next.ReadyReplicas == next.Replicas {
		next.CurrentReplicas, next.CurrentRevision = next.UpdatedReplicas, s.update
	}
	return next
}
