package job

import (
	"cmp"
	"slices"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
)

// burst is the most pods made in one sync.
const burst = 500

// scale starts or removes pods of a job that goes on.
func (l *look) scale() {
	j, s := l.job, &l.out.status
	if suspended(j) {
		if l.set(batch.JobSuspended, core.ConditionTrue, "JobSuspended", "Job suspended") {
			l.out.events = append(l.out.events, event{core.EventTypeNormal, "Suspended", "Job suspended"})
		}
		s.StartTime = nil
		l.out.drop = l.active
		return
	}
	if l.set(batch.JobSuspended, core.ConditionFalse, "JobResumed", "Job resumed") {
		l.out.events = append(l.out.events, event{core.EventTypeNormal, "Resumed", "Job resumed"})
	}
	if s.StartTime == nil {
		s.StartTime = &meta.Time{Time: l.now}
		if j.Spec.ActiveDeadlineSeconds != nil {
			l.later(time.Duration(*j.Spec.ActiveDeadlineSeconds) * time.Second)
		}
	}
	wanted := l.wanted()
	if indexed(j) {
		l.duplicates()
	}
	if excess := len(l.active) - len(l.out.drop) - wanted; excess > 0 {
		l.out.drop = append(l.out.drop, l.victims(excess)...)
		return
	}
	missing := wanted - (len(l.active) - len(l.out.drop))
	if onlyFailed(j) {
		missing -= len(l.ending)
	}
	if missing = min(missing, burst); missing <= 0 {
		return
	}
	if indexed(j) {
		l.startIndexes(missing)
		return
	}
	if left := l.pause(); left > 0 {
		l.later(left)
		return
	}
	for range missing {
		l.out.start = append(l.out.start, start{index: -1})
	}
}

// wanted is how many pods should run.
func (l *look) wanted() int {
	parallel := 1
	if l.job.Spec.Parallelism != nil {
		parallel = int(*l.job.Spec.Parallelism)
	}
	succeeded, _ := l.totals()
	if l.job.Spec.Completions == nil {
		if succeeded > 0 {
			return min(parallel, len(l.active)) // one success is enough: what runs may end, nothing new starts
		}
		return parallel
	}
	if indexed(l.job) {
		succeeded = len(l.completed) + len(l.failed)
	}
	return min(parallel, int(*l.job.Spec.Completions)-succeeded)
}

// duplicates of an index, and pods of indexes that are done or no longer exist, are removed.
func (l *look) duplicates() {
	seen := indexes{}
	for _, p := range l.active {
		i := indexOf(p)
		if i < 0 || i >= int(*l.job.Spec.Completions) || seen[i] || l.completed[i] || l.failed[i] {
			l.out.drop = append(l.out.drop, p)
		}
		seen[i] = true
	}
}

func (l *look) victims(n int) []*core.Pod {
	left := slices.DeleteFunc(slices.Clone(l.active), func(p *core.Pod) bool { return slices.Contains(l.out.drop, p) })
	slices.SortStableFunc(left, func(a, b *core.Pod) int {
		return cmp.Or(pods.Victims(nil, l.now)(a, b), cmp.Compare(indexOf(b), indexOf(a)))
	})
	return left[:min(n, len(left))]
}

// startIndexes starts the lowest indexes that neither run nor are done.
func (l *look) startIndexes(n int) {
	busy := indexes{}
	for _, p := range l.active {
		busy[indexOf(p)] = true
	}
	if onlyFailed(l.job) {
		for _, p := range l.ending {
			busy[indexOf(p)] = true
		}
	}
	held := l.job.Spec.BackoffLimitPerIndex == nil && l.pause() > 0
	for i := 0; i < int(*l.job.Spec.Completions) && len(l.out.start) < n; i++ {
		if busy[i] || l.completed[i] || l.failed[i] {
			continue
		}
		next := start{index: i}
		if last := l.lastFailed[i]; last != nil {
			next.failures, next.ignored = count(last, batch.JobIndexFailureCountAnnotation), count(last, batch.JobIndexIgnoredFailureCountAnnotation)
			if judge(l.job, last).action == batch.PodFailurePolicyActionIgnore {
				next.ignored++
			} else {
				next.failures++
			}
			if l.job.Spec.BackoffLimitPerIndex != nil {
				if left := delay(next.failures+next.ignored, endOf(last), l.now); left > 0 {
					l.later(left)
					continue
				}
			}
		}
		if held {
			l.later(l.pause())
			return
		}
		l.out.start = append(l.out.start, next)
	}
}

// pause until the next pod may start.
func (l *look) pause() time.Duration {
	failures, last := l.ends.streak()
	return delay(failures, last, l.now)
}
