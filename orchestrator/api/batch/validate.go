package batch

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

func validateJob(_ context.Context, j *batchv1.Job) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateJobSpec(&j.Spec, path)
	if j.Spec.Selector == nil {
		errs = append(errs, field.Required(path.Child("selector"), ""))
	}
	return errs
}

func validateJobSpec(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, n := range []struct {
		name  string
		value *int32
	}{{"parallelism", s.Parallelism}, {"completions", s.Completions}, {"backoffLimit", s.BackoffLimit}, {"ttlSecondsAfterFinished", s.TTLSecondsAfterFinished}} {
		if n.value != nil {
			errs = append(errs, validation.ValidateNonnegativeField(int64(*n.value), path.Child(n.name))...)
		}
	}
	if s.ActiveDeadlineSeconds != nil {
		errs = append(errs, validation.ValidateNonnegativeField(*s.ActiveDeadlineSeconds, path.Child("activeDeadlineSeconds"))...)
	}
	if s.CompletionMode != nil && *s.CompletionMode == batchv1.IndexedCompletion && s.Completions == nil {
		errs = append(errs, field.Required(path.Child("completions"), "when completion mode is Indexed"))
	}
	errs = append(errs, validateFailures(s, path)...)
	errs = append(errs, podspec.ValidateTemplate(&s.Template, path.Child("template"))...)
	restart := s.Template.Spec.RestartPolicy
	if restart != corev1.RestartPolicyOnFailure && restart != corev1.RestartPolicyNever {
		errs = append(errs, field.Required(path.Child("template", "spec", "restartPolicy"), `valid values: "OnFailure", "Never"`))
	}
	return errs
}

func validateJobUpdate(ctx context.Context, j, old *batchv1.Job) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateJob(ctx, j)
	indexed := j.Spec.CompletionMode != nil && *j.Spec.CompletionMode == batchv1.IndexedCompletion
	if !indexed {
		errs = append(errs, validation.ValidateImmutableField(j.Spec.Completions, old.Spec.Completions, path.Child("completions"))...)
	}
	errs = append(errs, validation.ValidateImmutableField(j.Spec.Selector, old.Spec.Selector, path.Child("selector"))...)
	if old.Spec.Suspend == nil || !*old.Spec.Suspend {
		errs = append(errs, validation.ValidateImmutableField(j.Spec.Template, old.Spec.Template, path.Child("template"))...)
	}
	return append(errs, validation.ValidateImmutableField(j.Spec.CompletionMode, old.Spec.CompletionMode, path.Child("completionMode"))...)
}

func validateCronJob(_ context.Context, c *batchv1.CronJob) field.ErrorList {
	path := field.NewPath("spec")
	var errs field.ErrorList
	if c.Spec.Schedule == "" {
		errs = append(errs, field.Required(path.Child("schedule"), ""))
	} else {
		errs = append(errs, validateSchedule(c.Spec.Schedule, path.Child("schedule"))...)
	}
	errs = append(errs, validateZone(c.Spec.TimeZone, path.Child("timeZone"))...)
	switch c.Spec.ConcurrencyPolicy {
	case batchv1.AllowConcurrent, batchv1.ForbidConcurrent, batchv1.ReplaceConcurrent:
	default:
		errs = append(errs, field.NotSupported(path.Child("concurrencyPolicy"), c.Spec.ConcurrencyPolicy,
			[]batchv1.ConcurrencyPolicy{batchv1.AllowConcurrent, batchv1.ForbidConcurrent, batchv1.ReplaceConcurrent}))
	}
	if c.Spec.StartingDeadlineSeconds != nil {
		errs = append(errs, validation.ValidateNonnegativeField(*c.Spec.StartingDeadlineSeconds, path.Child("startingDeadlineSeconds"))...)
	}
	for _, n := range []struct {
		name  string
		value *int32
	}{{"successfulJobsHistoryLimit", c.Spec.SuccessfulJobsHistoryLimit}, {"failedJobsHistoryLimit", c.Spec.FailedJobsHistoryLimit}} {
		if n.value != nil {
			errs = append(errs, validation.ValidateNonnegativeField(int64(*n.value), path.Child(n.name))...)
		}
	}
	if manual := c.Spec.JobTemplate.Spec.ManualSelector; manual != nil && *manual {
		errs = append(errs, field.NotSupported(path.Child("jobTemplate", "spec", "manualSelector"), *manual, []string{"nil", "false"}))
	}
	const longest = 52 // a job's name is the cron job's with eleven characters more
	if len(c.Name) > longest {
		errs = append(errs, field.Invalid(field.NewPath("metadata").Child("name"), c.Name, "must be no more than 52 characters"))
	}
	return append(errs, validateJobSpec(&c.Spec.JobTemplate.Spec, path.Child("jobTemplate", "spec"))...)
}

func validateCronJobUpdate(ctx context.Context, c, _ *batchv1.CronJob) field.ErrorList {
	return validateCronJob(ctx, c)
}
