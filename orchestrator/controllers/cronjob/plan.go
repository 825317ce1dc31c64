package cronjob

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// tooMany missed times deserve a warning: the clock jumped, or the controller was away for long.
	tooMany = 100
	// late is how far past a scheduled time the next sync is asked for, so that it does not come a moment early.
	late = 100 * time.Millisecond
)

// event to be recorded on the CronJob.
type event struct{ kind, reason, message string }

// outcome of looking at one CronJob.
type outcome struct {
	status batch.CronJobStatus
	// start is the scheduled time of the Job to create; nil for none. Jobs in replaced are deleted first.
	start    *time.Time
	replaced []*batch.Job
	// expired are ended Jobs beyond the history limits.
	expired []*batch.Job
	events  []event
	// wait until the next sync; 0 when only a change can bring one.
	wait time.Duration
}

func (o *outcome) warn(reason, format string, args ...any) {
	o.events = append(o.events, event{core.EventTypeWarning, reason, fmt.Sprintf(format, args...)})
}

func (o *outcome) tell(reason, format string, args ...any) {
	o.events = append(o.events, event{core.EventTypeNormal, reason, fmt.Sprintf(format, args...)})
}

// plan decides what a CronJob needs at this moment. jobs are all that it controls.
func plan(c *batch.CronJob, jobs []*batch.Job, now time.Time) outcome {
	o := outcome{status: *c.Status.DeepCopy()}
	o.follow(c, jobs)
	o.expired = slices.Concat(
		beyond(jobs, batch.JobComplete, c.Spec.SuccessfulJobsHistoryLimit),
		beyond(jobs, batch.JobFailed, c.Spec.FailedJobsHistoryLimit))
	if c.DeletionTimestamp != nil || c.Spec.Suspend != nil && *c.Spec.Suspend {
		return o
	}
	s, err := parse(&c.Spec)
	if err != nil {
		o.warn("UnparseableSchedule", "unparseable schedule: %q : %v", c.Spec.Schedule, err)
		return o // only a new spec helps
	}
	m, err := between(s, since(c, now), now)
	if err != nil {
		o.warn("InvalidSchedule", "invalid schedule: %s : %v", c.Spec.Schedule, err)
		return o
	}
	if m.count > tooMany {
		o.warn("TooManyMissedTimes", "too many missed start times: %d. Set or decrease .spec.startingDeadlineSeconds or check clock skew", m.count)
	}
	if next := s.Next(now); !next.IsZero() {
		o.wait = next.Sub(now) + late
	}
	if !m.last.IsZero() {
		o.begin(c, jobs, m.last, now)
	}
	return o
}

// since is the moment after which scheduled times count: the last start, or the creation, but never longer ago than the deadline.
func since(c *batch.CronJob, now time.Time) time.Time {
	from := c.CreationTimestamp.Time
	if c.Status.LastScheduleTime != nil {
		from = c.Status.LastScheduleTime.Time
	}
	if d := c.Spec.StartingDeadlineSeconds; d != nil {
		if earliest := now.Add(-time.Duration(*d) * time.Second); earliest.After(from) {
			from = earliest
		}
	}
	return from
}

// begin starts the Job of a scheduled time, unless it is too late or the concurrency policy forbids it.
func (o *outcome) begin(c *batch.CronJob, jobs []*batch.Job, at, now time.Time) {
	if d := c.Spec.StartingDeadlineSeconds; d != nil && at.Add(time.Duration(*d)*time.Second).Before(now) {
		o.warn("MissSchedule", "Missed scheduled time to start a job: %s", at.UTC().Format(time.RFC1123Z))
		return
	}
	name := nameAt(c, at)
	if slices.ContainsFunc(jobs, func(j *batch.Job) bool { return j.Name == name }) {
		return // made before, and its start was not noted
	}
	switch {
	case c.Spec.ConcurrencyPolicy == batch.ForbidConcurrent && len(o.status.Active) > 0:
		o.tell("JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid")
		return
	case c.Spec.ConcurrencyPolicy == batch.ReplaceConcurrent:
		for _, ref := range o.status.Active {
			at := slices.IndexFunc(jobs, func(j *batch.Job) bool { return j.UID == ref.UID })
			o.replaced = append(o.replaced, jobs[at])
		}
	}
	o.start = &at
}

// follow brings status.active and the last success up to date with what the Jobs say.
func (o *outcome) follow(c *batch.CronJob, jobs []*batch.Job) {
	known := map[types.UID]*batch.Job{}
	for _, j := range jobs {
		known[j.UID] = j
	}
	o.status.Active = slices.DeleteFunc(o.status.Active, func(ref core.ObjectReference) bool {
		j := known[ref.UID]
		if j == nil {
			o.tell("MissingJob", "Active job went missing: %v", ref.Name)
			return true
		}
		end := ended(j)
		if end != "" {
			o.tell("SawCompletedJob", "Saw completed job: %s, condition: %v", j.Name, end)
		}
		return end != ""
	})
	for _, j := range jobs {
		listed := slices.ContainsFunc(o.status.Active, func(ref core.ObjectReference) bool { return ref.UID == j.UID })
		switch end := ended(j); {
		case end == "" && !listed && j.Annotations[batch.CronJobScheduledTimestampAnnotation] != "":
			o.status.Active = append(o.status.Active, reference(j)) // ours, made by a sync that could not note it
		case end == "" && !listed && j.DeletionTimestamp == nil:
			o.warn("UnexpectedJob", "Saw a job that the controller did not create or forgot: %s", j.Name)
		case end == batch.JobComplete && j.Status.CompletionTime != nil && (o.status.LastSuccessfulTime == nil || o.status.LastSuccessfulTime.Before(j.Status.CompletionTime)):
			o.status.LastSuccessfulTime = j.Status.CompletionTime
		}
	}
	if len(o.status.Active) == 0 {
		o.status.Active = nil
	}
}

// ended is the condition by which a Job is over; empty while it is not.
func ended(j *batch.Job) batch.JobConditionType {
	for _, c := range j.Status.Conditions {
		if (c.Type == batch.JobComplete || c.Type == batch.JobFailed) && c.Status == core.ConditionTrue {
			return c.Type
		}
	}
	return ""
}

// beyond picks the oldest Jobs of one end that a history limit leaves no room for; without a limit all stay.
func beyond(jobs []*batch.Job, end batch.JobConditionType, limit *int32) []*batch.Job {
	if limit == nil {
		return nil
	}
	var done []*batch.Job
	for _, j := range jobs {
		if ended(j) == end && j.DeletionTimestamp == nil {
			done = append(done, j)
		}
	}
	slices.SortFunc(done, func(a, b *batch.Job) int {
		return cmp.Or(began(a).Compare(began(b)), cmp.Compare(a.Name, b.Name))
	})
	return done[:max(0, len(done)-int(*limit))]
}

func began(j *batch.Job) time.Time {
	if j.Status.StartTime != nil {
		return j.Status.StartTime.Time
	}
	return j.CreationTimestamp.Time
}

// nameAt is the same for one scheduled time however often it is tried: that no time starts two Jobs rests on it.
func nameAt(c *batch.CronJob, at time.Time) string { return fmt.Sprintf("%s-%d", c.Name, at.Unix()/60) }

// build the Job of a scheduled time.
func build(c *batch.CronJob, at time.Time) *batch.Job {
	template := c.Spec.JobTemplate.DeepCopy()
	j := &batch.Job{
		ObjectMeta: meta.ObjectMeta{
			Namespace: c.Namespace, Name: nameAt(c, at), Labels: template.Labels, Annotations: template.Annotations, CreationTimestamp: meta.Time{Time: at},
			OwnerReferences: []meta.OwnerReference{*meta.NewControllerRef(c, batch.SchemeGroupVersion.WithKind("CronJob"))},
		},
		Spec: template.Spec,
	}
	if j.Annotations == nil {
		j.Annotations = map[string]string{}
	}
	zone := time.Local
	if c.Spec.TimeZone != nil {
		if loaded, err := time.LoadLocation(*c.Spec.TimeZone); err == nil {
			zone = loaded
		}
	}
	j.Annotations[batch.CronJobScheduledTimestampAnnotation] = at.In(zone).Format(time.RFC3339)
	return j
}

func reference(j *batch.Job) core.ObjectReference {
	return core.ObjectReference{
		APIVersion: batch.SchemeGroupVersion.String(), Kind: "Job", Namespace: j.Namespace, Name: j.Name, UID: j.UID, ResourceVersion: j.ResourceVersion,
	}
}
