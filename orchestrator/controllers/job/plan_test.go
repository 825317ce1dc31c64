package job

import (
	"testing"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

var now = time.Unix(1_000_000, 0)

func someJob(parallelism, completions, backoff int32) *batch.Job {
	return &batch.Job{ObjectMeta: meta.ObjectMeta{Name: "j", Namespace: "ns"}, Spec: batch.JobSpec{
		Parallelism: &parallelism, Completions: &completions, BackoffLimit: &backoff, Template: core.PodTemplateSpec{Spec: core.PodSpec{RestartPolicy: core.RestartPolicyNever}},
	}}
}

func ended(uid string, phase core.PodPhase) *core.Pod {
	return &core.Pod{ObjectMeta: meta.ObjectMeta{Name: uid, UID: types.UID(uid), Finalizers: []string{batch.JobTrackingFinalizer}}, Status: core.PodStatus{Phase: phase}}
}

func TestIndexes(t *testing.T) {
	for _, text := range []string{"", "3", "0-2", "0,2-4,7", "1,2,5"} {
		if got := parse(text, 10).String(); got != text {
			t.Errorf("%q is read and written as %q", text, got)
		}
	}
	if got := parse("0-9", 4).String(); got != "0-3" {
		t.Errorf("beyond the completions: %q", got)
	}
}

func TestAnEndIsCountedOnceAndOnlyAfterItsRelease(t *testing.T) {
	j, p := someJob(1, 1, 6), ended("a", core.PodSucceeded)
	first := plan(j, []*core.Pod{p}, memory{}, now)
	if n := len(first.status.UncountedTerminatedPods.Succeeded); n != 1 || first.status.Succeeded != 0 {
		t.Fatalf("first look: %d noted, %d counted", n, first.status.Succeeded)
	}
	if finished(&batch.Job{Status: first.status}) {
		t.Fatal("complete before the end is counted")
	}
	j.Status = first.status
	second := plan(j, []*core.Pod{p}, memory{}, now)
	if len(second.release) != 1 || second.status.Succeeded != 0 {
		t.Fatalf("second look: %d released, %d counted", len(second.release), second.status.Succeeded)
	}
	third := plan(j, []*core.Pod{p}, memory{released: map[types.UID]bool{"a": true}}, now)
	if third.status.Succeeded != 1 || !finished(&batch.Job{Status: third.status}) {
		t.Fatalf("third look: %d counted, conditions %v", third.status.Succeeded, third.status.Conditions)
	}
}

func TestPlanStartsAndStops(t *testing.T) {
	suspended, yes := someJob(2, 4, 6), true
	suspended.Spec.Suspend = &yes
	running := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: "r", UID: "r", Finalizers: []string{batch.JobTrackingFinalizer}}, Status: core.PodStatus{Phase: core.PodRunning}}
	for _, row := range []struct {
		name           string
		job            *batch.Job
		pods           []*core.Pod
		starts, remove int
		condition      batch.JobConditionType
	}{
		{"starts as many as run at once", someJob(2, 4, 6), nil, 2, 0, ""},
		{"starts no more than are missing", someJob(5, 2, 6), nil, 2, 0, ""},
		{"removes what is too many", someJob(0, 4, 6), []*core.Pod{running}, 0, 1, ""},
		{"a suspended job stops its pods", suspended, []*core.Pod{running}, 0, 1, batch.JobSuspended},
		{"too many failures end it", someJob(1, 1, 0), []*core.Pod{ended("a", core.PodFailed), running}, 0, 1, batch.JobFailureTarget},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := plan(row.job, row.pods, memory{}, now)
			if len(o.start) != row.starts || len(o.remove)+len(o.drop) != row.remove {
				t.Errorf("%d started, %d removed", len(o.start), len(o.remove))
			}
			if row.condition != "" && condition(&o.status, row.condition) == nil {
				t.Errorf("no condition %s in %v", row.condition, o.status.Conditions)
			}
		})
	}
}

// The values are v1.37.2's: what the controller deletes itself does not count as failed, whatever backoffLimit is; what others delete does.
func TestPodsThatTheJobDeletesAreNotFailures(t *testing.T) {
	running := func(uid string, alter func(*core.Pod)) *core.Pod {
		p := ended(uid, core.PodRunning)
		if alter != nil {
			alter(p)
		}
		return p
	}
	suspended, yes := someJob(2, 2, 0), true
	suspended.Spec.Suspend = &yes
	lowered := someJob(1, 2, 0)
	for _, row := range []struct {
		name string
		job  *batch.Job
		drop int
	}{{"suspended", suspended, 2}, {"parallelism lowered", lowered, 1}} {
		t.Run(row.name, func(t *testing.T) {
			mine := []*core.Pod{running("a", nil), running("b", nil)}
			first := plan(row.job, mine, memory{}, now)
			if len(first.drop) != row.drop || len(first.remove) != 0 {
				t.Fatalf("%d dropped, %d removed; want %d dropped", len(first.drop), len(first.remove), row.drop)
			}
			m := memory{released: map[types.UID]bool{}, ends: first.ends}
			for _, p := range first.drop {
				m.released[p.UID], p.DeletionTimestamp = true, &meta.Time{Time: now}
			}
			row.job.Status = first.status
			for _, phase := range []core.PodPhase{core.PodRunning, core.PodFailed} {
				for _, p := range first.drop {
					p.Status.Phase = phase
				}
				o := plan(row.job, mine, m, now)
				if n := int(o.status.Failed) + len(o.status.UncountedTerminatedPods.Failed); n != 0 || condition(&o.status, batch.JobFailureTarget) != nil {
					t.Errorf("%s while it goes: %d failures, conditions %v", phase, n, o.status.Conditions)
				}
				if n, _ := o.ends.streak(); n != 0 {
					t.Errorf("%s while it goes: %d failures delay the next", phase, n)
				}
			}
		})
	}
	deleted := running("a", func(p *core.Pod) { p.DeletionTimestamp = &meta.Time{Time: now} })
	if o := plan(someJob(1, 1, 6), []*core.Pod{deleted}, memory{}, now); len(o.status.UncountedTerminatedPods.Failed) != 1 {
		t.Errorf("a pod that somebody else deletes: %d failures", len(o.status.UncountedTerminatedPods.Failed))
	}
}

func TestADeletedPodIsReplacedAfterADelay(t *testing.T) {
	j := someJob(1, 1, 6)
	grace := int64(30)
	p := ended("a", core.PodRunning)
	p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &meta.Time{Time: now.Add(30 * time.Second)}, &grace
	first := plan(j, []*core.Pod{p}, memory{}, now)
	if len(first.start) != 0 || first.wait != firstDelay {
		t.Errorf("while it goes: %d started, waits %v; want %v", len(first.start), first.wait, firstDelay)
	}
	j.Status = first.status
	m := memory{ends: first.ends}
	if o := plan(j, nil, m, now.Add(4*time.Second)); len(o.start) != 0 || o.wait != firstDelay-4*time.Second {
		t.Errorf("gone for 4 s: %d started, waits %v", len(o.start), o.wait)
	}
	if o := plan(j, nil, m, now.Add(firstDelay)); len(o.start) != 1 {
		t.Errorf("gone for %v: %d started", firstDelay, len(o.start))
	}
}

func TestASuccessEndsTheDelays(t *testing.T) {
	at := func(uid string, phase core.PodPhase, ago time.Duration) *core.Pod {
		p := ended(uid, phase)
		p.Status.ContainerStatuses = []core.ContainerStatus{{State: core.ContainerState{Terminated: &core.ContainerStateTerminated{FinishedAt: meta.NewTime(now.Add(-ago))}}}}
		return p
	}
	o := plan(someJob(1, 3, 6), []*core.Pod{at("a", core.PodFailed, 3*time.Second), at("b", core.PodSucceeded, time.Second)}, memory{}, now)
	if len(o.start) != 1 {
		t.Errorf("after a success that followed the failure: %d started, waits %v", len(o.start), o.wait)
	}
	o = plan(someJob(1, 3, 6), []*core.Pod{at("a", core.PodFailed, time.Second), at("b", core.PodSucceeded, 3*time.Second)}, memory{}, now)
	if len(o.start) != 0 || o.wait != firstDelay-time.Second {
		t.Errorf("after a failure that followed the success: %d started, waits %v", len(o.start), o.wait)
	}
}

func indexedJob(limit int32, uid string) *batch.Job {
	j, mode := someJob(2, 2, 100), batch.IndexedCompletion
	j.Spec.CompletionMode, j.Spec.BackoffLimitPerIndex = &mode, &limit
	j.UID = types.UID(uid)
	return j
}

func atIndex(uid string, index, failures string, phase core.PodPhase) *core.Pod {
	p := ended(uid, phase)
	p.Annotations = map[string]string{batch.JobCompletionIndexAnnotation: index, batch.JobIndexFailureCountAnnotation: failures}
	return p
}

// As v1.37.2: an index's failure is counted once its replacement exists; until then the failed pod keeps its finalizer, and with it the index's count.
func TestAFailedPodIsHeldUntilItsIndexIsReplaced(t *testing.T) {
	j, failed := indexedJob(1, "j"), atIndex("a", "0", "0", core.PodFailed)
	failed.CreationTimestamp, failed.DeletionTimestamp = meta.NewTime(now), &meta.Time{Time: now}
	o := plan(j, []*core.Pod{failed}, memory{}, now)
	if n := len(o.status.UncountedTerminatedPods.Failed); n != 0 || len(o.release) != 0 {
		t.Errorf("before it is replaced: %d noted, %d released", n, len(o.release))
	}
	o = plan(j, []*core.Pod{failed}, memory{}, now.Add(firstDelay))
	if len(o.start) != 2 || o.start[0].failures != 1 {
		t.Errorf("started %+v; want index 0 with one failure", o.start)
	}
	o = plan(j, []*core.Pod{failed, atIndex("b", "0", "1", core.PodPending)}, memory{}, now.Add(firstDelay))
	if n := len(o.status.UncountedTerminatedPods.Failed); n != 1 {
		t.Errorf("replaced: %d noted", n)
	}
	o = plan(j, []*core.Pod{failed, atIndex("b", "0", "1", core.PodFailed)}, memory{}, now.Add(firstDelay))
	if n := len(o.status.UncountedTerminatedPods.Failed); n != 2 || *o.status.FailedIndexes != "0" {
		t.Errorf("failed for good: %d noted, failed indexes %q", n, *o.status.FailedIndexes)
	}
}

// As v1.37.2: what a job deletes once it has succeeded is not counted, and what it deletes when it fails is, whatever replaces pods.
func TestPodsOfADecidedJob(t *testing.T) {
	mode, policy := batch.IndexedCompletion, batch.Failed
	won := someJob(2, 2, 6)
	won.Spec.CompletionMode = &mode
	wanted := "0"
	won.Spec.SuccessPolicy = &batch.SuccessPolicy{Rules: []batch.SuccessPolicyRule{{SucceededIndexes: &wanted}}}
	o := plan(won, []*core.Pod{atIndex("a", "0", "0", core.PodSucceeded), atIndex("b", "1", "0", core.PodRunning)}, memory{}, now)
	if len(o.drop) != 1 || len(o.remove) != 0 {
		t.Errorf("succeeded: %d dropped, %d removed; want one dropped", len(o.drop), len(o.remove))
	}
	lost := someJob(2, 2, 0)
	lost.Spec.PodReplacementPolicy = &policy
	running := ended("b", core.PodRunning)
	o = plan(lost, []*core.Pod{ended("a", core.PodFailed), running}, memory{}, now)
	if len(o.remove) != 1 || len(o.drop) != 0 {
		t.Errorf("failed: %d dropped, %d removed; want one removed", len(o.drop), len(o.remove))
	}
	lost.Status, running.DeletionTimestamp = o.status, &meta.Time{Time: now}
	o = plan(lost, []*core.Pod{running}, memory{}, now)
	if n := int(o.status.Failed) + len(o.status.UncountedTerminatedPods.Failed); n != 2 {
		t.Errorf("its last pod goes: %d failed, want 2", n)
	}
}
