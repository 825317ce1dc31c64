package job

import (
	"maps"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
)

const (
	firstDelay = 10 * time.Second
	lastDelay  = 10 * time.Minute
)

// ends of a job's pods, remembered while the pods themselves may be gone: the next one waits the longer the more failed since the last success.
// Values are not altered once they are shared.
type ends struct {
	failures map[types.UID]time.Time
	success  time.Time
}

func (e ends) clone() ends {
	e.failures = maps.Clone(e.failures)
	if e.failures == nil {
		e.failures = map[types.UID]time.Time{}
	}
	return e
}

// streak is how many failed since the last success, and when the last one did.
func (e ends) streak() (n int, last time.Time) {
	for _, at := range e.failures {
		if !at.After(e.success) {
			continue
		}
		n++
		if at.After(last) {
			last = at
		}
	}
	return n, last
}

// forget what no longer matters.
func (e ends) forget() {
	maps.DeleteFunc(e.failures, func(_ types.UID, at time.Time) bool { return !at.After(e.success) })
}

// endOf a pod that ended or is being deleted.
func endOf(p *core.Pod) (end time.Time) {
	for _, s := range p.Status.ContainerStatuses {
		if t := s.State.Terminated; t != nil && t.FinishedAt.After(end) {
			end = t.FinishedAt.Time
		}
	}
	if !end.IsZero() {
		return end
	}
	if c := pods.Condition(p, core.PodReady); c != nil && c.Status == core.ConditionFalse && !c.LastTransitionTime.IsZero() {
		return c.LastTransitionTime.Time
	}
	if p.DeletionTimestamp == nil {
		return p.CreationTimestamp.Time
	}
	grace := int64(0)
	if p.DeletionGracePeriodSeconds != nil {
		grace = *p.DeletionGracePeriodSeconds
	}
	return p.DeletionTimestamp.Add(-time.Duration(grace) * time.Second)
}

// delay before the next pod after that many failures, the last of which ended then.
func delay(failures int, last, now time.Time) time.Duration {
	if failures == 0 || last.IsZero() {
		return 0
	}
	pause := lastDelay
	if failures < 8 {
		pause = min(lastDelay, firstDelay<<(failures-1))
	}
	return last.Add(pause).Sub(now)
}
