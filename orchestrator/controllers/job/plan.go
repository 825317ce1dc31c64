package job

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
)

const (
	firstDelay = 10 * time.Second
	lastDelay  = 10 * time.Minute
)

// outcome of looking at a job: the status to write first, then what to do.
type outcome struct {
	status batch.JobStatus
	start  []start
	remove []*core.Pod
	// release are pods whose end is in the status: they need their finalizer no more.
	release []*core.Pod
	// wait until something changes by time alone; 0: nothing does.
	wait time.Duration
	// events about the job.
	events []event
}

type event struct{ kind, reason, message string }

// look is one look at a job.
type look struct {
	job  *batch.Job
	pods []*core.Pod
	now  time.Time
	// released are UIDs whose finalizer is known to be gone.
	released map[types.UID]bool

	out                         outcome
	completed, failed           indexes
	active, ending              []*core.Pod
	newSucceeded, newFailed     int
	ready                       int32
	failJob                     string
	lastFailed                  map[int]*core.Pod
	failures                    int
	lastFailure                 time.Time
	uncountedFailed, uncountedS map[types.UID]bool
}

func finished(j *batch.Job) bool {
	return slices.ContainsFunc(j.Status.Conditions, func(c batch.JobCondition) bool {
		return (c.Type == batch.JobComplete || c.Type == batch.JobFailed) && c.Status == core.ConditionTrue
	})
}

func tracked(p *core.Pod) bool { return slices.Contains(p.Finalizers, batch.JobTrackingFinalizer) }

// onlyFailed is true for a job that replaces a pod when it has failed, not already when it is being deleted.
func onlyFailed(j *batch.Job) bool {
	return j.Spec.PodReplacementPolicy != nil && *j.Spec.PodReplacementPolicy == batch.Failed
}

// broken is true for a pod that counts as a failure.
func broken(j *batch.Job, p *core.Pod) bool {
	return p.Status.Phase == core.PodFailed || !onlyFailed(j) && p.DeletionTimestamp != nil && p.Status.Phase != core.PodSucceeded
}

// plan a job that has not finished.
func plan(j *batch.Job, mine []*core.Pod, released map[types.UID]bool, now time.Time) outcome {
	l := &look{job: j, pods: mine, now: now, released: released, lastFailed: map[int]*core.Pod{}}
	l.out.status = *j.Status.DeepCopy()
	l.settle()
	l.sort()
	l.tally()
	if !l.finish() {
		l.scale()
	}
	return l.out
}

// settle counts the ends that were noted in the status before, and whose pods are released.
func (l *look) settle() {
	s := &l.out.status
	limit := 0
	if l.job.Spec.Completions != nil {
		limit = int(*l.job.Spec.Completions)
	}
	l.completed, l.failed = indexes{}, indexes{}
	if indexed(l.job) {
		l.completed = parse(s.CompletedIndexes, limit)
		if s.FailedIndexes != nil {
			l.failed = parse(*s.FailedIndexes, limit)
		}
	}
	if s.UncountedTerminatedPods == nil {
		s.UncountedTerminatedPods = &batch.UncountedTerminatedPods{}
	}
	waiting := map[types.UID]bool{}
	for _, p := range l.pods {
		if tracked(p) && !l.released[p.UID] {
			waiting[p.UID] = true
		}
	}
	settle := func(uids []types.UID, n *int32) (kept []types.UID, set map[types.UID]bool) {
		set = map[types.UID]bool{}
		for _, uid := range uids {
			if waiting[uid] {
				kept, set[uid] = append(kept, uid), true
			} else {
				*n++
			}
		}
		return kept, set
	}
	s.UncountedTerminatedPods.Succeeded, l.uncountedS = settle(s.UncountedTerminatedPods.Succeeded, &s.Succeeded)
	s.UncountedTerminatedPods.Failed, l.uncountedFailed = settle(s.UncountedTerminatedPods.Failed, &s.Failed)
}

// sort the pods into those that run, that end, and whose end is news.
func (l *look) sort() {
	s := &l.out.status
	ordered := slices.Clone(l.pods)
	slices.SortFunc(ordered, func(a, b *core.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	for _, p := range ordered {
		if p.Status.Phase != core.PodSucceeded && p.Status.Phase != core.PodFailed {
			if p.DeletionTimestamp != nil {
				l.ending = append(l.ending, p)
			} else {
				l.active = append(l.active, p)
				if pods.Ready(p) {
					l.ready++
				}
			}
		}
		counts := tracked(p) && !l.released[p.UID]
		switch {
		case p.Status.Phase == core.PodSucceeded:
			l.succeeded(p, counts)
		case broken(l.job, p):
			l.broke(p, counts)
		}
		if counts && (l.uncountedS[p.UID] || l.uncountedFailed[p.UID]) {
			l.out.release = append(l.out.release, p)
		}
	}
	s.Ready = &l.ready
}

func (l *look) succeeded(p *core.Pod, counts bool) {
	s := &l.out.status
	if indexed(l.job) {
		if i := indexOf(p); i >= 0 && i < int(*l.job.Spec.Completions) && counts {
			if !l.failed[i] {
				l.completed[i] = true
			}
			l.out.release = append(l.out.release, p)
		}
		return
	}
	if counts && !l.uncountedS[p.UID] {
		s.UncountedTerminatedPods.Succeeded = append(s.UncountedTerminatedPods.Succeeded, p.UID)
		l.uncountedS[p.UID] = true
		l.newSucceeded++
	}
}

func (l *look) broke(p *core.Pod, counts bool) {
	s, v := &l.out.status, judge(l.job, p)
	index := indexOf(p)
	if ended := endOf(p); ended.After(l.lastFailure) {
		l.lastFailure = ended
	}
	l.failures++
	if v.action == batch.PodFailurePolicyActionFailJob && l.failJob == "" {
		l.failJob = v.message
	}
	if index >= 0 {
		l.lastFailed[index] = p
		if limit := l.job.Spec.BackoffLimitPerIndex; limit != nil && !l.completed[index] &&
			(v.action == batch.PodFailurePolicyActionFailIndex || v.action == batch.PodFailurePolicyActionCount && count(p, batch.JobIndexFailureCountAnnotation) >= int(*limit)) {
			l.failed[index] = true
		}
	}
	if !counts || l.uncountedFailed[p.UID] {
		return
	}
	if v.action == batch.PodFailurePolicyActionIgnore {
		l.out.release = append(l.out.release, p)
		return
	}
	s.UncountedTerminatedPods.Failed = append(s.UncountedTerminatedPods.Failed, p.UID)
	l.uncountedFailed[p.UID] = true
	l.newFailed++
}

// endOf a pod that failed.
func endOf(p *core.Pod) (end time.Time) {
	for _, s := range p.Status.ContainerStatuses {
		if t := s.State.Terminated; t != nil && t.FinishedAt.After(end) {
			end = t.FinishedAt.Time
		}
	}
	if end.IsZero() {
		if c := pods.Condition(p, core.PodReady); c != nil {
			end = c.LastTransitionTime.Time
		}
	}
	return end
}

// tally writes the counts.
func (l *look) tally() {
	s := &l.out.status
	terminating := int32(len(l.ending))
	s.Active, s.Terminating = int32(len(l.active)), &terminating
	if !indexed(l.job) {
		return
	}
	s.Succeeded = int32(len(l.completed))
	s.CompletedIndexes = l.completed.String()
	if l.job.Spec.BackoffLimitPerIndex != nil {
		text := l.failed.String()
		s.FailedIndexes = &text
	}
}

func suspended(j *batch.Job) bool { return j.Spec.Suspend != nil && *j.Spec.Suspend }

func condition(s *batch.JobStatus, kind batch.JobConditionType) *batch.JobCondition {
	for i := range s.Conditions {
		if s.Conditions[i].Type == kind {
			return &s.Conditions[i]
		}
	}
	return nil
}

func (l *look) set(kind batch.JobConditionType, value core.ConditionStatus, reason, message string) bool {
	s, at := &l.out.status, meta.NewTime(l.now)
	if c := condition(s, kind); c != nil {
		if c.Status == value {
			return false
		}
		c.Status, c.Reason, c.Message, c.LastProbeTime, c.LastTransitionTime = value, reason, message, at, at
		return true
	}
	if value != core.ConditionTrue {
		return false
	}
	s.Conditions = append(s.Conditions, batch.JobCondition{Type: kind, Status: value, Reason: reason, Message: message, LastProbeTime: at, LastTransitionTime: at})
	return true
}

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
	l.out.remove = l.active
	s := &l.out.status
	if len(l.active) > 0 || len(l.ending) > 0 || len(l.out.release) > 0 || len(s.UncountedTerminatedPods.Succeeded)+len(s.UncountedTerminatedPods.Failed) > 0 {
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
