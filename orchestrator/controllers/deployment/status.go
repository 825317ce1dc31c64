package deployment

import (
	"fmt"
	"math"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// status counts the sets and judges availability and progress; wait is when progress must have been seen (0: no deadline runs).
func status(d *apps.Deployment, now *apps.ReplicaSet, all []*apps.ReplicaSet, at time.Time) (next apps.DeploymentStatus, wait time.Duration) {
	next = *d.Status.DeepCopy()
	next.ObservedGeneration = d.Generation
	next.Replicas, next.UpdatedReplicas, next.ReadyReplicas, next.AvailableReplicas = 0, 0, 0, 0
	terminating := int32(0)
	for _, rs := range all {
		next.Replicas += rs.Status.Replicas
		next.ReadyReplicas += rs.Status.ReadyReplicas
		next.AvailableReplicas += rs.Status.AvailableReplicas
		if rs.Status.TerminatingReplicas != nil {
			terminating += *rs.Status.TerminatingReplicas
		}
	}
	next.TerminatingReplicas = &terminating
	if now != nil {
		next.UpdatedReplicas = now.Status.Replicas
	}
	next.UnavailableReplicas = max(0, total(all)-next.AvailableReplicas)
	_, unavailable := bounds(d)
	if next.AvailableReplicas >= replicas(d.Spec.Replicas)-unavailable {
		set(&next, apps.DeploymentAvailable, core.ConditionTrue, "MinimumReplicasAvailable", "Deployment has minimum availability.", at)
	} else {
		set(&next, apps.DeploymentAvailable, core.ConditionFalse, "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", at)
	}
	failure(&next, now, all)
	return next, progress(d, now, &next, at)
}

// failure carries a set's ReplicaFailure up to the Deployment.
func failure(next *apps.DeploymentStatus, now *apps.ReplicaSet, all []*apps.ReplicaSet) {
	remove(next, apps.DeploymentReplicaFailure)
	if now != nil {
		all = append([]*apps.ReplicaSet{now}, all...)
	}
	for _, rs := range all {
		for _, c := range rs.Status.Conditions {
			if c.Type == apps.ReplicaSetReplicaFailure {
				next.Conditions = append(next.Conditions, apps.DeploymentCondition{
					Type: apps.DeploymentReplicaFailure, Status: c.Status, Reason: c.Reason, Message: c.Message,
					LastTransitionTime: c.LastTransitionTime, LastUpdateTime: c.LastTransitionTime,
				})
				return
			}
		}
	}
}

// progress keeps the Progressing condition of a Deployment that has a deadline.
func progress(d *apps.Deployment, now *apps.ReplicaSet, next *apps.DeploymentStatus, at time.Time) time.Duration {
	if d.Spec.ProgressDeadlineSeconds == nil || *d.Spec.ProgressDeadlineSeconds == math.MaxInt32 {
		remove(next, apps.DeploymentProgressing)
		return 0
	}
	what := fmt.Sprintf("Deployment %q", d.Name)
	if now != nil {
		what = fmt.Sprintf("ReplicaSet %q", now.Name)
	}
	last := condition(next, apps.DeploymentProgressing)
	finished := last != nil && last.Reason == "NewReplicaSetAvailable" && next.Replicas == next.UpdatedReplicas
	if finished {
		return 0
	}
	deadline := time.Duration(*d.Spec.ProgressDeadlineSeconds) * time.Second
	switch {
	case complete(d, *next):
		set(next, apps.DeploymentProgressing, core.ConditionTrue, "NewReplicaSetAvailable", what+" has successfully progressed.", at)
		return 0
	case moved(d, *next):
		touch(next, what+" is progressing.", at)
	case last != nil && !d.Spec.Paused && last.Reason != "DeploymentPaused" && last.Reason != "ProgressDeadlineExceeded" && !at.Before(last.LastUpdateTime.Add(deadline)):
		set(next, apps.DeploymentProgressing, core.ConditionFalse, "ProgressDeadlineExceeded", what+" has timed out progressing.", at)
		return 0
	}
	last = condition(next, apps.DeploymentProgressing)
	if last == nil || d.Spec.Paused || last.Reason == "ProgressDeadlineExceeded" || last.Reason == "DeploymentPaused" {
		return 0
	}
	return max(time.Second, last.LastUpdateTime.Add(deadline).Sub(at)+time.Second)
}

// moved is true when the rollout came nearer to its end since the last status.
func moved(d *apps.Deployment, next apps.DeploymentStatus) bool {
	old := d.Status
	return next.UpdatedReplicas > old.UpdatedReplicas || next.Replicas-next.UpdatedReplicas < old.Replicas-old.UpdatedReplicas ||
		next.ReadyReplicas > old.ReadyReplicas || next.AvailableReplicas > old.AvailableReplicas
}

func touch(s *apps.DeploymentStatus, message string, at time.Time) {
	c := apps.DeploymentCondition{
		Type: apps.DeploymentProgressing, Status: core.ConditionTrue, Reason: "ReplicaSetUpdated", Message: message,
		LastUpdateTime: meta.NewTime(at), LastTransitionTime: meta.NewTime(at),
	}
	if last := condition(s, c.Type); last != nil && last.Status == c.Status {
		c.LastTransitionTime = last.LastTransitionTime
	}
	remove(s, c.Type)
	s.Conditions = append(s.Conditions, c)
}

// set a condition; one that says the same already keeps its times.
func set(s *apps.DeploymentStatus, kind apps.DeploymentConditionType, value core.ConditionStatus, reason, message string, at time.Time) {
	last := condition(s, kind)
	if last != nil && last.Status == value && last.Reason == reason {
		return
	}
	c := apps.DeploymentCondition{Type: kind, Status: value, Reason: reason, Message: message, LastUpdateTime: meta.NewTime(at), LastTransitionTime: meta.NewTime(at)}
	if last != nil && last.Status == value {
		c.LastTransitionTime = last.LastTransitionTime
	}
	remove(s, kind)
	s.Conditions = append(s.Conditions, c)
}

func condition(s *apps.DeploymentStatus, kind apps.DeploymentConditionType) *apps.DeploymentCondition {
	for i := range s.Conditions {
		if s.Conditions[i].Type == kind {
			return &s.Conditions[i]
		}
	}
	return nil
}

func remove(s *apps.DeploymentStatus, kind apps.DeploymentConditionType) {
	var kept []apps.DeploymentCondition
	for _, c := range s.Conditions {
		if c.Type != kind {
			kept = append(kept, c)
		}
	}
	s.Conditions = kept
}
