package job

import (
	"cmp"
	"maps"
	"slices"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
)

// outcome of looking at a job: the status to write first, then what to do.
type outcome struct {
	status batch.JobStatus
	start  []start
	// remove are pods of a job that fails: they count as failed.
	remove []*core.Pod
	// drop are pods that the job itself has no use for now: they are deleted, and their end is never counted.
	drop []*core.Pod
	// ends as they are now known.
	ends ends
	// release are pods whose end is in the status: they need their finalizer no more.
	release []*core.Pod
	// wait until something changes by time alone; 0: nothing does.
	wait time.Duration
	// events about the job.
	events []event
}

type event struct{ kind, reason, message string }

// memory is what the cache does not show of a job's pods.
type memory struct {
	// released are UIDs whose finalizer is known to be gone.
	released map[types.UID]bool
	ends     ends
}

// look is one look at a job.
type look struct {
	job  *batch.Job
	pods []*core.Pod
	now  time.Time
	memory

	out                     outcome
	completed, failed       indexes
	active, ending          []*core.Pod
	newSucceeded, newFailed int
	ready                   int32
	failJob                 string
	lastFailed              map[int]*core.Pod
	// held are, by index, failed pods that nothing has replaced yet: they keep their finalizer, and so how often their index failed.
	held                        map[int]*core.Pod
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

// broken is true for a pod that counts as a failure. Those that a failing job deletes all do.
func broken(j *batch.Job, p *core.Pod) bool {
	failing := condition(&j.Status, batch.JobFailureTarget) != nil
	return p.Status.Phase == core.PodFailed || (!onlyFailed(j) || failing) && p.DeletionTimestamp != nil && p.Status.Phase != core.PodSucceeded
}

// plan a job that has not finished.
func plan(j *batch.Job, mine []*core.Pod, m memory, now time.Time) outcome {
	m.ends = m.ends.clone()
	l := &look{job: j, pods: mine, now: now, memory: m, lastFailed: map[int]*core.Pod{}, held: map[int]*core.Pod{}}
	l.out.status = *j.Status.DeepCopy()
	l.settle()
	l.sort()
	l.ends.forget()
	l.out.ends = l.ends
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
		if !counts && p.DeletionTimestamp != nil {
			continue // it was dropped, or is counted: either way its end is no news
		}
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
	l.replaced()
	s.Ready = &l.ready
}

func (l *look) succeeded(p *core.Pod, counts bool) {
	s := &l.out.status
	if end := endOf(p); end.After(l.ends.success) {
		l.ends.success = end
	}
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
	v := judge(l.job, p)
	index := indexOf(p)
	if _, known := l.ends.failures[p.UID]; !known {
		l.ends.failures[p.UID] = endOf(p)
	}
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
	if l.job.Spec.BackoffLimitPerIndex == nil || index < 0 {
		l.note(p)
		return
	}
	if last := l.held[index]; last != nil {
		l.note(last)
	}
	l.held[index] = p
}

// replaced lets go of the held pods of indexes that go on without them (KEP-3850).
func (l *look) replaced() {
	running := indexes{}
	for _, p := range l.active {
		running[indexOf(p)] = true
	}
	decided := condition(&l.out.status, batch.JobFailureTarget) != nil || condition(&l.out.status, batch.JobSuccessCriteriaMet) != nil
	for _, i := range slices.Sorted(maps.Keys(l.held)) {
		if decided || running[i] || l.completed[i] || l.failed[i] || i >= int(*l.job.Spec.Completions) {
			l.note(l.held[i])
			delete(l.held, i)
		}
	}
}

// note a failure in the status, so that it is counted once its pod is released.
func (l *look) note(p *core.Pod) {
	s := &l.out.status
	if v := judge(l.job, p); v.action == batch.PodFailurePolicyActionIgnore {
		l.out.release = append(l.out.release, p)
		return
	}
	s.UncountedTerminatedPods.Failed = append(s.UncountedTerminatedPods.Failed, p.UID)
	l.uncountedFailed[p.UID] = true
	l.newFailed++
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
