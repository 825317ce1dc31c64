package batch

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// CronJob is the catalogue entry of cronjobs.
func CronJob() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: batchv1.GroupName, Kind: "CronJob", Resource: "cronjobs", Singular: "cronjob",
			ShortNames: []string{"cj"}, Categories: []string{"all"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &batchv1.CronJob{}, &batchv1.CronJobList{})},
		Storage:    kind.Stored("cronjobs", batchv1.SchemeGroupVersion, &batchv1.CronJob{}),
		Columns:    kind.Table("Name;Schedule;Timezone;Suspend:boolean;Active:integer;Last Schedule;Age;Containers*;Images*;Selector*", docs),
		Cells:      kind.Cells(cronCells),
		Rules: kind.Typed[*batchv1.CronJob]{
			Default: func(c *batchv1.CronJob) {
				if c.Spec.ConcurrencyPolicy == "" {
					c.Spec.ConcurrencyPolicy = batchv1.AllowConcurrent
				}
				set(&c.Spec.Suspend, false)
				set(&c.Spec.SuccessfulJobsHistoryLimit, 3)
				set(&c.Spec.FailedJobsHistoryLimit, 1)
				// The job inside gets its own defaults when it is created, its pods get theirs now.
				podspec.DefaultTemplate(&c.Spec.JobTemplate.Spec.Template)
			},
			PrepareCreate:  func(_ context.Context, c *batchv1.CronJob) { c.Status = batchv1.CronJobStatus{} },
			PrepareUpdate:  func(_ context.Context, c, old *batchv1.CronJob) { c.Status = old.Status },
			ValidateCreate: validateCronJob,
			ValidateUpdate: validateCronJobUpdate,
			Generation:     func(c, old *batchv1.CronJob) bool { return !equality.Semantic.DeepEqual(c.Spec, old.Spec) },
			Warnings: kind.WarnOnChange(func(c *batchv1.CronJob) []string {
				return podspec.TemplateWarnings(&c.Spec.JobTemplate.Spec.Template, field.NewPath("spec", "jobTemplate", "spec", "template"))
			}),
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.StatusKept(func(c, old *batchv1.CronJob) { c.Spec = old.Spec }),
		},
	}
}

func cronCells(c *batchv1.CronJob, now time.Time) []any {
	names, images := podspec.Summary(&c.Spec.JobTemplate.Spec.Template.Spec)
	zone, last := "<none>", "<none>"
	if c.Spec.TimeZone != nil {
		zone = *c.Spec.TimeZone
	}
	if c.Status.LastScheduleTime != nil {
		last = kind.Since(*c.Status.LastScheduleTime, now)
	}
	suspended := "<unset>"
	if c.Spec.Suspend != nil {
		suspended = map[bool]string{true: "True", false: "False"}[*c.Spec.Suspend]
	}
	return []any{c.Name, c.Spec.Schedule, zone, suspended, int64(len(c.Status.Active)), last, kind.Age(c, now), names, images, "<none>"}
}
