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
	first := plan(j, []*core.Pod{p}, nil, now)
	if n := len(first.status.UncountedTerminatedPods.Succeeded); n != 1 || first.status.Succeeded != 0 {
		t.Fatalf("first look: %d noted, %d counted", n, first.status.Succeeded)
	}
	if finished(&batch.Job{Status: first.status}) {
		t.Fatal("complete before the end is counted")
	}
	j.Status = first.status
	second := plan(j, []*core.Pod{p}, nil, now)
	if len(second.release) != 1 || second.status.Succeeded != 0 {
		t.Fatalf("second look: %d released, %d counted", len(second.release), second.status.Succeeded)
	}
	third := plan(j, []*core.Pod{p}, map[types.UID]bool{"a": true}, now)
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
			o := plan(row.job, row.pods, nil, now)
			if len(o.start) != row.starts || len(o.remove) != row.remove {
				t.Errorf("%d started, %d removed", len(o.start), len(o.remove))
			}
			if row.condition != "" && condition(&o.status, row.condition) == nil {
				t.Errorf("no condition %s in %v", row.condition, o.status.Conditions)
			}
		})
	}
}
