// Package pods is what controllers of workloads say about Pods: made from a template, active, ready, available, and which of several to delete first.
//
// It is pure, and all of them call it with what their informers show.
package pods

import (
	"math"
	"strconv"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FromTemplate is a Pod of an owner, without a name.
func FromTemplate(template *core.PodTemplateSpec, namespace string, owner meta.OwnerReference) *core.Pod {
	template = template.DeepCopy()
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{
			Namespace: namespace, GenerateName: prefix(owner.Name), Labels: template.Labels, Annotations: template.Annotations,
			Finalizers: template.Finalizers, OwnerReferences: []meta.OwnerReference{owner},
		},
		Spec: template.Spec,
	}
}

// prefix of generated names: the apiserver cuts what is too long.
func prefix(owner string) string { return owner + "-" }

// Active is true until a pod has ended or is being deleted.
func Active(p *core.Pod) bool {
	return !Ended(p) && p.DeletionTimestamp == nil
}

// Ended is true when no container of the pod will run again.
func Ended(p *core.Pod) bool {
	return p.Status.Phase == core.PodSucceeded || p.Status.Phase == core.PodFailed
}

// Condition of that type, or nil.
func Condition(p *core.Pod, kind core.PodConditionType) *core.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == kind {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

// Ready is the pod's Ready condition.
func Ready(p *core.Pod) bool {
	c := Condition(p, core.PodReady)
	return c != nil && c.Status == core.ConditionTrue
}

// Available is true once a pod has been ready for minReady seconds; otherwise wait is how long that takes yet (0: not known).
func Available(p *core.Pod, minReady int32, now time.Time) (available bool, wait time.Duration) {
	if !Ready(p) {
		return false, 0
	}
	since := Condition(p, core.PodReady).LastTransitionTime
	if minReady == 0 {
		return true, 0
	}
	if since.IsZero() {
		return false, 0
	}
	left := since.Add(time.Duration(minReady) * time.Second).Sub(now)
	return left <= 0, max(left, 0)
}

// SetCondition replaces the condition of that type; it is false when nothing changed.
func SetCondition(status *core.PodStatus, c core.PodCondition) bool {
	for i := range status.Conditions {
		old := &status.Conditions[i]
		if old.Type != c.Type {
			continue
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		if old.Status == c.Status && old.Reason == c.Reason && old.Message == c.Message && old.ObservedGeneration == c.ObservedGeneration {
			return false
		}
		*old = c
		return true
	}
	status.Conditions = append(status.Conditions, c)
	return true
}

// Victims orders pods for deletion: negative when a goes before b. crowd is how many sibling pods run on each pod's node.
func Victims(crowd map[string]int, now time.Time) func(a, b *core.Pod) int {
	phases := map[core.PodPhase]int{core.PodPending: 0, core.PodUnknown: 1, core.PodRunning: 2}
	return func(a, b *core.Pod) int {
		for _, difference := range []int{
			order(a.Spec.NodeName != "", b.Spec.NodeName != ""),
			phases[a.Status.Phase] - phases[b.Status.Phase],
			order(Ready(a), Ready(b)),
			compare(cost(a), cost(b)),
			crowd[b.Spec.NodeName] - crowd[a.Spec.NodeName],
		} {
			if difference != 0 {
				return difference
			}
		}
		if Ready(a) && Ready(b) {
			if d := age(readyTime(b), now) - age(readyTime(a), now); d != 0 {
				return -d // the one that was ready for a shorter time goes first
			}
		}
		if d := restarts(b) - restarts(a); d != 0 {
			return d
		}
		if d := age(b.CreationTimestamp.Time, now) - age(a.CreationTimestamp.Time, now); d != 0 {
			return -d
		}
		return compare(int64(boolInt(a.UID > b.UID)), int64(boolInt(b.UID > a.UID)))
	}
}

// age in powers of two: pods of about the same age are equal, so that their ages tell an observer nothing.
func age(t, now time.Time) int {
	if t.IsZero() {
		return -1
	}
	seconds := now.Sub(t).Seconds()
	if seconds < 1 {
		return 0
	}
	return int(math.Log2(seconds)) + 1
}

func readyTime(p *core.Pod) time.Time { return Condition(p, core.PodReady).LastTransitionTime.Time }

func restarts(p *core.Pod) int {
	most := int32(0)
	for i := range p.Status.ContainerStatuses {
		most = max(most, p.Status.ContainerStatuses[i].RestartCount)
	}
	return int(most)
}

func cost(p *core.Pod) int64 {
	n, err := strconv.ParseInt(p.Annotations[core.PodDeletionCost], 10, 32)
	if err != nil {
		return 0
	}
	return n
}

func order(a, b bool) int { return boolInt(a) - boolInt(b) }

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
