package ttl

import (
	"testing"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRemaining(t *testing.T) {
	end := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	minute := int32(60)
	done := batch.Job{Spec: batch.JobSpec{TTLSecondsAfterFinished: &minute}, Status: batch.JobStatus{Conditions: []batch.JobCondition{
		{Type: batch.JobSuspended, Status: core.ConditionFalse}, {Type: batch.JobFailed, Status: core.ConditionTrue, LastTransitionTime: meta.Time{Time: end}},
	}}}
	running, forever, going := done.DeepCopy(), done.DeepCopy(), done.DeepCopy()
	running.Status.Conditions = nil
	forever.Spec.TTLSecondsAfterFinished = nil
	going.DeletionTimestamp = &meta.Time{Time: end}
	for _, row := range []struct {
		name string
		job  *batch.Job
		left time.Duration
		over bool
	}{
		{"over for half a minute", &done, 30 * time.Second, true},
		{"running", running, 0, false},
		{"stays for ever", forever, 0, false},
		{"going already", going, 0, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if left, over := remaining(row.job, end.Add(30*time.Second)); left != row.left || over != row.over {
				t.Errorf("left %v, over %v; want %v, %v", left, over, row.left, row.over)
			}
		})
	}
}
