package job

import (
	"fmt"
	"slices"
	"strconv"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
)

const indexVariable = "JOB_COMPLETION_INDEX"

// start is a pod to make: its index (-1: none) and how often that index failed before.
type start struct {
	index, failures, ignored int
}

// build a pod of the job. It keeps a finalizer until its end is counted.
func build(j *batch.Job, s start) *core.Pod {
	p := pods.FromTemplate(&j.Spec.Template, j.Namespace, *meta.NewControllerRef(j, batch.SchemeGroupVersion.WithKind("Job")))
	p.Finalizers = append(p.Finalizers, batch.JobTrackingFinalizer)
	if s.index < 0 {
		return p
	}
	if p.Annotations == nil {
		p.Annotations = map[string]string{}
	}
	if p.Labels == nil {
		p.Labels = map[string]string{}
	}
	text := strconv.Itoa(s.index)
	p.Annotations[batch.JobCompletionIndexAnnotation], p.Labels[batch.JobCompletionIndexAnnotation] = text, text
	if j.Spec.BackoffLimitPerIndex != nil {
		p.Annotations[batch.JobIndexFailureCountAnnotation] = strconv.Itoa(s.failures)
		if s.ignored > 0 {
			p.Annotations[batch.JobIndexIgnoredFailureCountAnnotation] = strconv.Itoa(s.ignored)
		}
	}
	p.GenerateName = fmt.Sprintf("%s-%d-", j.Name, s.index)
	p.Spec.Hostname = fmt.Sprintf("%s-%d", j.Name, s.index)
	source := &core.EnvVarSource{FieldRef: &core.ObjectFieldSelector{FieldPath: fmt.Sprintf("metadata.labels['%s']", batch.JobCompletionIndexAnnotation)}}
	for _, containers := range [][]core.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range containers {
			env := &containers[i].Env
			if !slices.ContainsFunc(*env, func(e core.EnvVar) bool { return e.Name == indexVariable }) {
				*env = append(*env, core.EnvVar{Name: indexVariable, ValueFrom: source})
			}
		}
	}
	return p
}

// verdict of the pod failure policy on a failed pod.
type verdict struct {
	action  batch.PodFailurePolicyAction
	message string
}

// judge a failed pod: the first rule that matches decides, and a failure that none matches counts.
func judge(j *batch.Job, p *core.Pod) verdict {
	if j.Spec.PodFailurePolicy == nil || p.Status.Phase != core.PodFailed {
		return verdict{action: batch.PodFailurePolicyActionCount}
	}
	for i, rule := range j.Spec.PodFailurePolicy.Rules {
		if rule.OnExitCodes != nil {
			if name, code, ok := exit(p, rule.OnExitCodes); ok {
				return verdict{rule.Action, fmt.Sprintf("Container %s for pod %s/%s failed with exit code %d matching %s rule at index %d", name, p.Namespace, p.Name, code, rule.Action, i)}
			}
			continue
		}
		for _, pattern := range rule.OnPodConditions {
			wanted := pattern.Status
			if wanted == "" {
				wanted = core.ConditionTrue
			}
			if c := pods.Condition(p, pattern.Type); c != nil && c.Status == wanted {
				return verdict{rule.Action, fmt.Sprintf("Pod %s/%s has condition %v matching %s rule at index %d", p.Namespace, p.Name, pattern.Type, rule.Action, i)}
			}
		}
	}
	return verdict{action: batch.PodFailurePolicyActionCount}
}

func exit(p *core.Pod, rule *batch.PodFailurePolicyOnExitCodesRequirement) (string, int32, bool) {
	for _, s := range slices.Concat(p.Status.ContainerStatuses, p.Status.InitContainerStatuses) {
		if s.State.Terminated == nil || rule.ContainerName != nil && *rule.ContainerName != s.Name {
			continue
		}
		code := s.State.Terminated.ExitCode
		if code == 0 {
			continue
		}
		if slices.Contains(rule.Values, code) == (rule.Operator == batch.PodFailurePolicyOnExitCodesOpIn) {
			return s.Name, code, true
		}
	}
	return "", 0, false
}
