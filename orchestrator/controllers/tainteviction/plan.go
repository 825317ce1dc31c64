package tainteviction

import (
	"time"

	core "k8s.io/api/core/v1"
	corev1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/klog/v2"
)

// stay is how long a pod may stay on a node with these NoExecute taints, counted from when each came: forever, or until a time. A taint that does not
// say when it came, as those of people do not, came when it was first seen.
func stay(p *core.Pod, taints []core.Taint, seen func(*core.Taint) time.Time) (until time.Time, forever bool) {
	forever = true
	for i := range taints {
		t := &taints[i]
		if t.Effect != core.TaintEffectNoExecute {
			continue
		}
		added := seen(t)
		if t.TimeAdded != nil {
			added = t.TimeAdded.Time
		}
		end, always := tolerated(p, t, added)
		if always {
			continue
		}
		if forever || end.Before(until) {
			until = end
		}
		forever = false
	}
	return until, forever
}

// tolerated is until when a taint is: the shortest of the tolerations that match, as all must hold.
func tolerated(p *core.Pod, t *core.Taint, added time.Time) (end time.Time, always bool) {
	matched, shortest := false, int64(-1)
	for i := range p.Spec.Tolerations {
		toleration := &p.Spec.Tolerations[i]
		if !corev1.TolerationsTolerateTaint(klog.Background(), []core.Toleration{*toleration}, t, true) {
			continue
		}
		matched = true
		if s := toleration.TolerationSeconds; s != nil && (shortest < 0 || *s < shortest) {
			shortest = max(*s, 0)
		}
	}
	if !matched {
		return added, false
	}
	if shortest < 0 {
		return time.Time{}, true
	}
	return added.Add(time.Duration(shortest) * time.Second), false
}
