package batch

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

func validateJob(_ context.Context, j *batchv1.Job) field.ErrorList {
	var errs field.ErrorList
	if manual := j.Spec.ManualSelector; j.Spec.Selector != nil && (manual == nil || !*manual) {
		generated := metav1.LabelSelector{MatchLabels: map[string]string{batchv1.ControllerUidLabel: string(j.UID)}}
		if !equality.Semantic.DeepEqual(*j.Spec.Selector, generated) {
			errs = append(errs, field.Invalid(field.NewPath("spec", "selector"), j.Spec.Selector, "`selector` not auto-generated"))
		}
	}
	errs = append(errs, validateSelected(j)...)
	if indexed(&j.Spec) && j.Spec.Completions != nil && *j.Spec.Completions > 0 {
		last := fmt.Sprintf("%s-%d", j.Name, *j.Spec.Completions-1)
		if len(utilvalidation.IsDNS1123Label(last)) > 0 {
			errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), j.Name, "will not able to create pod with invalid DNS label: "+last))
		}
	}
	return errs
}

// validateSelected: whoever chose the selector, it must select the Job's own pods.
func validateSelected(j *batchv1.Job) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateJobSpec(&j.Spec, path)
	if j.Spec.Selector == nil {
		return append(errs, field.Required(path.Child("selector"), ""))
	}
	errs = append(errs, metavalidation.ValidateLabelSelector(j.Spec.Selector, metavalidation.LabelSelectorValidationOptions{}, path.Child("selector"))...)
	selector, err := metav1.LabelSelectorAsSelector(j.Spec.Selector)
	if err == nil && !selector.Matches(labels.Set(j.Spec.Template.Labels)) {
		errs = append(errs, field.Invalid(path.Child("template", "metadata", "labels"), j.Spec.Template.Labels, "`selector` does not match template `labels`"))
	}
	return errs
}

// Bounds of an indexed Job (API doc of JobSpec).
const (
	maxIndexedParallelism = 100_000
	maxFailedIndexes      = 100_000
	// manyCompletions are those beyond which backoffLimitPerIndex allows less.
	manyCompletions  = 100_000
	manyParallelism  = 10_000
	manyFailures     = 10_000
	maxManagerLength = 63
)

func validateJobSpec(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	errs := validateAmounts(s, path)
	if s.ManagedBy != nil {
		errs = append(errs, utilvalidation.IsDomainPrefixedPath(path.Child("managedBy"), *s.ManagedBy)...)
		if len(*s.ManagedBy) > maxManagerLength {
			errs = append(errs, field.TooLong(path.Child("managedBy"), *s.ManagedBy, maxManagerLength))
		}
	}
	errs = append(errs, validateMode(s, path)...)
	if s.PodFailurePolicy != nil {
		errs = append(errs, validateFailurePolicy(s, path.Child("podFailurePolicy"))...)
	}
	if s.SuccessPolicy != nil {
		errs = append(errs, validateSuccessPolicy(s, path.Child("successPolicy"))...)
	}
	errs = append(errs, validateReplacement(s, path.Child("podReplacementPolicy"))...)
	errs = append(errs, podspec.ValidateTemplate(&s.Template, path.Child("template"))...)
	restart, at := s.Template.Spec.RestartPolicy, path.Child("template", "spec", "restartPolicy")
	switch restart {
	case corev1.RestartPolicyNever:
	case corev1.RestartPolicyOnFailure:
		if s.PodFailurePolicy != nil {
			errs = append(errs, field.Invalid(at, restart, `only "Never" is supported when podFailurePolicy is specified`))
		}
	case "", corev1.RestartPolicyAlways:
		errs = append(errs, field.Required(at, `valid values: "OnFailure", "Never"`))
	default:
		errs = append(errs, field.NotSupported(at, restart, []corev1.RestartPolicy{corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever}))
	}
	return errs
}

func validateAmounts(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	wide := func(n *int32) *int64 {
		if n == nil {
			return nil
		}
		value := int64(*n)
		return &value
	}
	var errs field.ErrorList
	for _, n := range []struct {
		name  string
		value *int64
	}{
		{"parallelism", wide(s.Parallelism)}, {"completions", wide(s.Completions)}, {"activeDeadlineSeconds", s.ActiveDeadlineSeconds}, {"backoffLimit", wide(s.BackoffLimit)},
		{"ttlSecondsAfterFinished", wide(s.TTLSecondsAfterFinished)}, {"backoffLimitPerIndex", wide(s.BackoffLimitPerIndex)}, {"maxFailedIndexes", wide(s.MaxFailedIndexes)},
	} {
		if n.value != nil {
			errs = append(errs, validation.ValidateNonnegativeField(*n.value, path.Child(n.name))...)
		}
	}
	if s.MaxFailedIndexes != nil && s.BackoffLimitPerIndex == nil {
		errs = append(errs, field.Required(path.Child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"))
	}
	return errs
}

// validateMode: what an indexed Job must have, and others must not.
func validateMode(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.CompletionMode != nil && *s.CompletionMode != batchv1.IndexedCompletion && *s.CompletionMode != batchv1.NonIndexedCompletion {
		errs = append(errs, field.NotSupported(path.Child("completionMode"), *s.CompletionMode, []batchv1.CompletionMode{"NonIndexed", "Indexed"}))
	}
	if indexed(s) {
		return append(errs, validateIndexed(s, path)...)
	}
	if s.CompletionMode == nil || *s.CompletionMode == batchv1.NonIndexedCompletion {
		if s.BackoffLimitPerIndex != nil {
			errs = append(errs, field.Invalid(path.Child("backoffLimitPerIndex"), *s.BackoffLimitPerIndex, "requires indexed completion mode"))
		}
		if s.MaxFailedIndexes != nil {
			errs = append(errs, field.Invalid(path.Child("maxFailedIndexes"), *s.MaxFailedIndexes, "requires indexed completion mode"))
		}
	}
	return errs
}

func indexed(s *batchv1.JobSpec) bool {
	return s.CompletionMode != nil && *s.CompletionMode == batchv1.IndexedCompletion
}

func validateIndexed(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	most := func(name string, value *int32, limit int32, when string) {
		if value != nil && *value > limit {
			errs = append(errs, field.Invalid(path.Child(name), *value, fmt.Sprintf("must be less than or equal to %d%s", limit, when)))
		}
	}
	if s.Completions == nil {
		errs = append(errs, field.Required(path.Child("completions"), "when completion mode is Indexed"))
	}
	most("parallelism", s.Parallelism, maxIndexedParallelism, " when completion mode is Indexed")
	if s.Completions != nil && s.MaxFailedIndexes != nil && *s.MaxFailedIndexes > *s.Completions {
		errs = append(errs, field.Invalid(path.Child("maxFailedIndexes"), *s.MaxFailedIndexes, "must be less than or equal to completions"))
	}
	most("maxFailedIndexes", s.MaxFailedIndexes, maxFailedIndexes, "")
	if s.Completions == nil || *s.Completions <= manyCompletions || s.BackoffLimitPerIndex == nil {
		return errs
	}
	when := fmt.Sprintf(" when completions are above %d and used with backoff limit per index", manyCompletions)
	if s.MaxFailedIndexes == nil {
		errs = append(errs, field.Required(path.Child("maxFailedIndexes"), fmt.Sprintf("must be specified when completions is above %d", manyCompletions)))
	}
	most("parallelism", s.Parallelism, manyParallelism, when)
	most("maxFailedIndexes", s.MaxFailedIndexes, manyFailures, when)
	return errs
}

func validateJobUpdate(_ context.Context, j, old *batchv1.Job) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateSelected(j)
	errs = append(errs, validateCompletions(&j.Spec, &old.Spec, path)...)
	errs = append(errs, validation.ValidateImmutableField(j.Spec.Selector, old.Spec.Selector, path.Child("selector"))...)
	errs = append(errs, validateTemplateUpdate(j, old, path.Child("template"))...)
	errs = append(errs, validation.ValidateImmutableField(j.Spec.CompletionMode, old.Spec.CompletionMode, path.Child("completionMode"))...)
	errs = append(errs, validation.ValidateImmutableField(j.Spec.PodFailurePolicy, old.Spec.PodFailurePolicy, path.Child("podFailurePolicy"))...)
	errs = append(errs, validation.ValidateImmutableField(j.Spec.BackoffLimitPerIndex, old.Spec.BackoffLimitPerIndex, path.Child("backoffLimitPerIndex"))...)
	errs = append(errs, validation.ValidateImmutableField(j.Spec.ManagedBy, old.Spec.ManagedBy, path.Child("managedBy"))...)
	return append(errs, validation.ValidateImmutableField(j.Spec.SuccessPolicy, old.Spec.SuccessPolicy, path.Child("successPolicy"))...)
}

// validateCompletions: only an indexed Job whose completions are its parallelism may grow or shrink (KEP-3715).
func validateCompletions(s, old *batchv1.JobSpec, path *field.Path) field.ErrorList {
	at := path.Child("completions")
	if indexed(s) && s.Completions == nil {
		return nil // it is missed already
	}
	if !indexed(s) || s.Parallelism == nil || old.Completions == nil {
		return validation.ValidateImmutableField(s.Completions, old.Completions, at)
	}
	if *s.Completions != *old.Completions && *s.Completions != *s.Parallelism {
		return field.ErrorList{field.Invalid(at, *s.Completions, fmt.Sprintf("can only be modified in tandem with %s", path.Child("parallelism")))}
	}
	return nil
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
