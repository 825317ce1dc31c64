package job

import (
	"fmt"
	"slices"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// totals including the ends that are noted but not yet counted.
func (l *look) totals() (succeeded, failed int) {
	s := &l.out.status
	succeeded = int(s.Succeeded) + len(s.UncountedTerminatedPods.Succeeded)
	return succeeded, int(s.Failed) + len(s.UncountedTerminatedPods.Failed)
}

// verdictOf the job: the condition that decides it, if it is decided.
func (l *look) verdictOf() (kind batch.JobConditionType, reason, message string) {
	j, s := l.job, &l.out.status
	if c := condition(s, batch.JobFailureTarget); c != nil && c.Status == core.ConditionTrue {
		return batch.JobFailureTarget, c.Reason, c.Message
	}
	if c := condition(s, batch.JobSuccessCriteriaMet); c != nil && c.Status == core.ConditionTrue {
		return batch.JobSuccessCriteriaMet, c.Reason, c.Message
	}
	succeeded, failed := l.totals()
	if indexed(j) {
		succeeded = len(l.completed)
	}
	switch {
	case l.failJob != "":
		return batch.JobFailureTarget, batch.JobReasonPodFailurePolicy, l.failJob
	case j.Spec.BackoffLimitPerIndex == nil && j.Spec.BackoffLimit != nil && failed > int(*j.Spec.BackoffLimit),
		j.Spec.BackoffLimitPerIndex != nil && j.Spec.BackoffLimit != nil && failed > int(*j.Spec.BackoffLimit),
		l.restarts():
		return batch.JobFailureTarget, batch.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit"
	case l.overdue():
		return batch.JobFailureTarget, batch.JobReasonDeadlineExceeded, "Job was active longer than specified deadline"
	}
	if rule := l.policy(); rule >= 0 {
		return batch.JobSuccessCriteriaMet, batch.JobReasonSuccessPolicy, fmt.Sprintf("Matched rules at index %d", rule)
	}
	if indexed(j) && j.Spec.BackoffLimitPerIndex != nil {
		if j.Spec.MaxFailedIndexes != nil && len(l.failed) > int(*j.Spec.MaxFailedIndexes) {
			return batch.JobFailureTarget, batch.JobReasonMaxFailedIndexesExceeded, "Job has exceeded the specified maximal number of failed indexes"
		}
		if len(l.failed) > 0 && len(l.failed)+len(l.completed) >= int(*j.Spec.Completions) {
			return batch.JobFailureTarget, batch.JobReasonFailedIndexes, "Job has failed indexes"
		}
	}
	if j.Spec.Completions == nil && succeeded > 0 && len(l.active)+len(l.ending) == 0 || j.Spec.Completions != nil && succeeded >= int(*j.Spec.Completions) {
		return batch.JobSuccessCriteriaMet, batch.JobReasonCompletionsReached, "Reached expected number of succeeded pods"
	}
	return "", "", ""
}

// restarts is true when pods that restart in place did so too often.
func (l *look) restarts() bool {
	if l.job.Spec.Template.Spec.RestartPolicy != core.RestartPolicyOnFailure || l.job.Spec.BackoffLimit == nil {
		return false
	}
	n := int32(0)
	for _, p := range l.active {
		for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
			n += s.RestartCount
		}
	}
	if *l.job.Spec.BackoffLimit == 0 {
		return n > 0
	}
	return n >= *l.job.Spec.BackoffLimit
}

func (l *look) overdue() bool {
	deadline, from := l.job.Spec.ActiveDeadlineSeconds, l.job.Status.StartTime
	if deadline == nil || from == nil || suspended(l.job) {
		return false
	}
	left := from.Add(time.Duration(*deadline) * time.Second).Sub(l.now)
	l.later(left)
	return left <= 0
}

func (l *look) later(d time.Duration) {
	if d > 0 && (l.out.wait == 0 || d < l.out.wait) {
		l.out.wait = d
	}
}

// policy is the first success rule that is fulfilled, or -1.
func (l *look) policy() int {
	if l.job.Spec.SuccessPolicy == nil {
		return -1
	}
	for i, rule := range l.job.Spec.SuccessPolicy.Rules {
		done := l.completed
		if rule.SucceededIndexes != nil {
			done = indexes{}
			wanted := parse(*rule.SucceededIndexes, int(*l.job.Spec.Completions))
			for index := range wanted {
				if l.completed[index] {
					done[index] = true
				}
			}
			if rule.SucceededCount == nil && len(done) == len(wanted) {
				return i
			}
		}
		if rule.SucceededCount != nil && len(done) >= int(*rule.SucceededCount) {
			return i
		}
	}
	return -1
}

// finish a job that is decided: its pods go, then it is complete or failed. It is false for one that goes on.
func (l *look) finish() bool {
	target, reason, message := l.verdictOf()
	if target == "" {
		return false
	}
	l.set(target, core.ConditionTrue, reason, message)
	if target == batch.JobSuccessCriteriaMet {
		l.out.drop = l.active
	} else {
		l.out.remove = l.active
	}
	s := &l.out.status
	if len(l.active) > 0 || len(l.held) > 0 || len(l.ending) > 0 || len(l.out.release) > 0 || len(s.UncountedTerminatedPods.Succeeded)+len(s.UncountedTerminatedPods.Failed) > 0 {
		return true
	}
	if s.StartTime == nil {
		s.StartTime = &meta.Time{Time: l.now}
	}
	zero := int32(0)
	s.Ready, s.Terminating, s.UncountedTerminatedPods = &zero, &zero, nil
	if target == batch.JobFailureTarget {
		l.set(batch.JobFailed, core.ConditionTrue, reason, message)
		l.out.events = append(l.out.events, event{core.EventTypeWarning, reason, message})
		return true
	}
	l.set(batch.JobComplete, core.ConditionTrue, reason, message)
	s.CompletionTime = &meta.Time{Time: l.now}
	l.out.events = append(l.out.events, event{core.EventTypeNormal, "Completed", "Job completed"})
	return true
}
