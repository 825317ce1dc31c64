package cronjob

import (
	"testing"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func hourly(alter ...func(*batch.CronJob)) *batch.CronJob {
	c := &batch.CronJob{
		ObjectMeta: meta.ObjectMeta{Namespace: "ns", Name: "report", UID: "cron", CreationTimestamp: meta.Time{Time: noon}},
		Spec: batch.CronJobSpec{
			Schedule: "0 * * * *", TimeZone: ptr.To("UTC"), ConcurrencyPolicy: batch.AllowConcurrent,
			SuccessfulJobsHistoryLimit: ptr.To[int32](3), FailedJobsHistoryLimit: ptr.To[int32](1),
		},
	}
	for _, a := range alter {
		a(c)
	}
	return c
}

func job(name string, end batch.JobConditionType, began time.Time) *batch.Job {
	j := &batch.Job{
		ObjectMeta: meta.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID(name), Annotations: map[string]string{batch.CronJobScheduledTimestampAnnotation: "x"}},
		Status:     batch.JobStatus{StartTime: &meta.Time{Time: began}},
	}
	if end != "" {
		j.Status.Conditions = []batch.JobCondition{{Type: end, Status: core.ConditionTrue}}
		j.Status.CompletionTime = &meta.Time{Time: began.Add(time.Minute)}
	}
	return j
}

func active(j *batch.Job) func(*batch.CronJob) {
	return func(c *batch.CronJob) { c.Status.Active = append(c.Status.Active, reference(j)) }
}

func TestPlanStarts(t *testing.T) {
	running := job("report-1", "", noon)
	for _, row := range []struct {
		name   string
		cron   *batch.CronJob
		jobs   []*batch.Job
		now    time.Time
		start  string
		reason string
	}{
		{name: "not yet", cron: hourly(), now: noon.Add(59 * time.Minute)},
		{name: "on time", cron: hourly(), now: noon.Add(time.Hour), start: "13:00"},
		{name: "only the newest of several", cron: hourly(), now: noon.Add(5*time.Hour + time.Minute), start: "17:00"},
		{name: "after years, with a warning", cron: hourly(), now: noon.AddDate(3, 0, 0).Add(time.Minute), start: "12:00", reason: "TooManyMissedTimes"},
		{name: "suspended", cron: hourly(func(c *batch.CronJob) { c.Spec.Suspend = ptr.To(true) }), now: noon.Add(2 * time.Hour)},
		{name: "before the deadline", cron: hourly(func(c *batch.CronJob) { c.Spec.StartingDeadlineSeconds = ptr.To[int64](60) }), now: noon.Add(time.Hour + 59*time.Second), start: "13:00"},
		{name: "after the deadline", cron: hourly(func(c *batch.CronJob) { c.Spec.StartingDeadlineSeconds = ptr.To[int64](60) }), now: noon.Add(time.Hour + 61*time.Second)},
		{name: "forbidden while one runs", cron: hourly(active(running), func(c *batch.CronJob) { c.Spec.ConcurrencyPolicy = batch.ForbidConcurrent }), jobs: []*batch.Job{running},
			now: noon.Add(time.Hour), reason: "JobAlreadyActive"},
		{name: "made before and not noted", cron: hourly(), jobs: []*batch.Job{job(nameAt(hourly(), noon.Add(time.Hour)), "", noon)}, now: noon.Add(time.Hour)},
		{name: "no such zone", cron: hourly(func(c *batch.CronJob) { c.Spec.TimeZone = ptr.To("Mars/Base") }), now: noon.Add(time.Hour), reason: "UnparseableSchedule"},
		{name: "a time that never comes", cron: hourly(func(c *batch.CronJob) { c.Spec.Schedule = "0 0 31 2 *" }), now: noon.Add(time.Hour), reason: "InvalidSchedule"},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := plan(row.cron, row.jobs, row.now)
			start := ""
			if o.start != nil {
				start = o.start.UTC().Format("15:04")
			}
			if start != row.start {
				t.Errorf("starts %q, want %q", start, row.start)
			}
			reason := ""
			if len(o.events) > 0 {
				reason = o.events[0].reason
			}
			if reason != row.reason {
				t.Errorf("event %q, want %q", reason, row.reason)
			}
		})
	}
}

func TestReplaceDeletesWhatRuns(t *testing.T) {
	running := job("report-1", "", noon)
	o := plan(hourly(active(running), func(c *batch.CronJob) { c.Spec.ConcurrencyPolicy = batch.ReplaceConcurrent }), []*batch.Job{running}, noon.Add(time.Hour))
	if o.start == nil || len(o.replaced) != 1 || o.replaced[0] != running {
		t.Errorf("starts %v, replaces %v", o.start, o.replaced)
	}
}

func TestStatusFollowsJobs(t *testing.T) {
	done, lost, forgotten := job("report-1", batch.JobComplete, noon), job("report-2", "", noon), job("report-3", "", noon)
	byHand := job("by-hand", "", noon)
	byHand.Annotations = nil
	o := plan(hourly(active(done), active(lost)), []*batch.Job{done, forgotten, byHand}, noon.Add(time.Minute))
	if len(o.status.Active) != 1 || o.status.Active[0].UID != forgotten.UID {
		t.Errorf("active: %v, want the forgotten one", o.status.Active)
	}
	if !o.status.LastSuccessfulTime.Equal(done.Status.CompletionTime) {
		t.Errorf("last success %v", o.status.LastSuccessfulTime)
	}
	var reasons []string
	for _, e := range o.events {
		reasons = append(reasons, e.reason)
	}
	if len(reasons) != 3 || reasons[0] != "SawCompletedJob" || reasons[1] != "MissingJob" || reasons[2] != "UnexpectedJob" {
		t.Errorf("events %v", reasons)
	}
}

func TestHistoryKeepsTheNewest(t *testing.T) {
	var jobs []*batch.Job
	for i, end := range []batch.JobConditionType{batch.JobComplete, batch.JobFailed, batch.JobComplete, batch.JobFailed, batch.JobComplete, batch.JobComplete, batch.JobComplete} {
		jobs = append(jobs, job(string(rune('a'+i)), end, noon.Add(-time.Duration(i)*time.Minute)))
	}
	var names string
	for _, j := range plan(hourly(), jobs, noon).expired {
		names += j.Name
	}
	if names != "gfd" {
		t.Errorf("deletes %q, want the two oldest successes g and f, and the older failure d", names)
	}
}
