package batch

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

var docs = map[string]string{
	"Status":        "Status of the job.",
	"Completions":   batchv1.JobStatus{}.SwaggerDoc()["succeeded"],
	"Duration":      "Time required to complete the job.",
	"Schedule":      batchv1.CronJobSpec{}.SwaggerDoc()["schedule"],
	"Timezone":      batchv1.CronJobSpec{}.SwaggerDoc()["timeZone"],
	"Suspend":       batchv1.CronJobSpec{}.SwaggerDoc()["suspend"],
	"Active":        batchv1.CronJobStatus{}.SwaggerDoc()["active"],
	"Last Schedule": batchv1.CronJobStatus{}.SwaggerDoc()["lastScheduleTime"],
	"Containers":    "Names of each container in the template.",
	"Images":        "Images referenced by each container in the template.",
	"Selector":      batchv1.JobSpec{}.SwaggerDoc()["selector"],
}

// Job is the catalogue entry of jobs. Their pods outlive an unspecified deletion, as they always have.
func Job() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: batchv1.GroupName, Kind: "Job", Resource: "jobs", Singular: "job",
			Categories: []string{"all"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &batchv1.Job{}, &batchv1.JobList{})},
		Storage:    kind.Stored("jobs", batchv1.SchemeGroupVersion, &batchv1.Job{}),
		Columns:    kind.Table("Name;Status;Completions;Duration;Age;Containers*;Images*;Selector*", docs),
		Cells:      kind.Cells(jobCells),
		Fields: kind.Fields(func(j *batchv1.Job) fields.Set {
			return fields.Set{"status.successful": fmt.Sprint(j.Status.Succeeded)}
		}),
		Rules: kind.Typed[*batchv1.Job]{
			Default: defaultJob,
			PrepareCreate: func(_ context.Context, j *batchv1.Job) {
				j.Status = batchv1.JobStatus{}
				generateSelector(j)
			},
			PrepareUpdate:  func(_ context.Context, j, old *batchv1.Job) { j.Status = old.Status },
			ValidateCreate: validateJob,
			ValidateUpdate: validateJobUpdate,
			Generation:     func(j, old *batchv1.Job) bool { return !equality.Semantic.DeepEqual(j.Spec, old.Spec) },
			Warnings: kind.WarnOnChange(func(j *batchv1.Job) []string {
				return podspec.TemplateWarnings(&j.Spec.Template, field.NewPath("spec", "template"))
			}),
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.StatusKept(func(j, old *batchv1.Job) { j.Spec = old.Spec }),
		},
		DefaultPropagation: metav1.DeletePropagationOrphan,
	}
}

func defaultJob(j *batchv1.Job) {
	defaultJobSpec(&j.Spec)
	if len(j.Labels) == 0 {
		j.Labels = j.Spec.Template.Labels
	}
}

func defaultJobSpec(s *batchv1.JobSpec) {
	if s.Completions == nil && s.Parallelism == nil {
		set(&s.Completions, 1)
		set(&s.Parallelism, 1)
	}
	set(&s.Parallelism, 1)
	if s.BackoffLimit == nil {
		set(&s.BackoffLimit, backoffLimit(s))
	}
	set(&s.CompletionMode, batchv1.NonIndexedCompletion)
	set(&s.Suspend, false)
	set(&s.ManualSelector, false)
	if s.PodReplacementPolicy == nil {
		policy := batchv1.TerminatingOrFailed
		if s.PodFailurePolicy != nil {
			policy = batchv1.Failed
		}
		s.PodReplacementPolicy = &policy
	}
	if s.PodFailurePolicy != nil {
		for i := range s.PodFailurePolicy.Rules {
			conditions := s.PodFailurePolicy.Rules[i].OnPodConditions
			for c := range conditions {
				if conditions[c].Status == "" {
					conditions[c].Status = corev1.ConditionTrue
				}
			}
		}
	}
	podspec.DefaultTemplate(&s.Template)
}

// backoffLimit is unlimited when each index has a limit of its own.
func backoffLimit(s *batchv1.JobSpec) int32 {
	const usual, unlimited = 6, 1<<31 - 1
	if s.BackoffLimitPerIndex != nil {
		return unlimited
	}
	return usual
}

// generateSelector marks the job's pods with the job's UID, unless the client selects by hand.
func generateSelector(j *batchv1.Job) {
	if j.Spec.ManualSelector != nil && *j.Spec.ManualSelector {
		return
	}
	if j.Spec.Template.Labels == nil {
		j.Spec.Template.Labels = map[string]string{}
	} else {
		// The job's own labels may be the same map: they were its default.
		copied := make(map[string]string, len(j.Spec.Template.Labels)+4)
		for k, v := range j.Spec.Template.Labels {
			copied[k] = v
		}
		j.Spec.Template.Labels = copied
	}
	sameLabels := equality.Semantic.DeepEqual(j.Labels, j.Spec.Template.Labels)
	for key, value := range map[string]string{
		"controller-uid": string(j.UID), batchv1.ControllerUidLabel: string(j.UID),
		"job-name": j.Name, batchv1.JobNameLabel: j.Name,
	} {
		if _, has := j.Spec.Template.Labels[key]; !has {
			j.Spec.Template.Labels[key] = value
		}
	}
	if sameLabels {
		j.Labels = make(map[string]string, len(j.Spec.Template.Labels))
		for k, v := range j.Spec.Template.Labels {
			j.Labels[k] = v
		}
	}
	if j.Spec.Selector == nil {
		j.Spec.Selector = &metav1.LabelSelector{}
	}
	if j.Spec.Selector.MatchLabels == nil {
		j.Spec.Selector.MatchLabels = map[string]string{}
	}
	if _, has := j.Spec.Selector.MatchLabels[batchv1.ControllerUidLabel]; !has {
		j.Spec.Selector.MatchLabels[batchv1.ControllerUidLabel] = string(j.UID)
	}
}

func jobCells(j *batchv1.Job, now time.Time) []any {
	names, images := podspec.Summary(&j.Spec.Template.Spec)
	completions := fmt.Sprintf("%d/1", j.Status.Succeeded)
	switch {
	case j.Spec.Completions != nil:
		completions = fmt.Sprintf("%d/%d", j.Status.Succeeded, *j.Spec.Completions)
	case j.Spec.Parallelism != nil && *j.Spec.Parallelism > 1:
		completions = fmt.Sprintf("%d/1 of %d", j.Status.Succeeded, *j.Spec.Parallelism)
	}
	took := ""
	if j.Status.StartTime != nil {
		took = duration.HumanDuration(now.Sub(j.Status.StartTime.Time))
		if j.Status.CompletionTime != nil {
			took = duration.HumanDuration(j.Status.CompletionTime.Sub(j.Status.StartTime.Time))
		}
	}
	selector := "<none>"
	if j.Spec.Selector != nil {
		selector = metav1.FormatLabelSelector(j.Spec.Selector)
	}
	return []any{j.Name, jobStatus(j), completions, took, kind.Age(j, now), names, images, selector}
}

func jobStatus(j *batchv1.Job) string {
	has := func(t batchv1.JobConditionType) bool {
		for _, c := range j.Status.Conditions {
			if c.Type == t && c.Status == corev1.ConditionTrue {
				return true
			}
		}
		return false
	}
	switch {
	case has(batchv1.JobComplete):
		return "Complete"
	case has(batchv1.JobFailed):
		return "Failed"
	case j.DeletionTimestamp != nil:
		return "Terminating"
	case has(batchv1.JobSuspended):
		return "Suspended"
	case has(batchv1.JobFailureTarget):
		return "FailureTarget"
	case has(batchv1.JobSuccessCriteriaMet):
		return "SuccessCriteriaMet"
	}
	return "Running"
}

func set[T any](at **T, value T) {
	if *at == nil {
		*at = &value
	}
}
