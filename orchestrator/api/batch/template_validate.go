package batch

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// validateTemplateUpdate: while a Job is suspended and none of its pods run, queueing systems may change where they go (KEP-2926) and
// what they get (KEP-5440).
func validateTemplateUpdate(j, old *batchv1.Job, path *field.Path) field.ErrorList {
	if !waiting(old) {
		if !equality.Semantic.DeepEqual(j.Spec.Template, old.Spec.Template) {
			return field.ErrorList{field.Invalid(path, kind.Untagged(j.Spec.Template), "field is immutable")}
		}
		return nil
	}
	allowed := old.Spec.Template.DeepCopy()
	allowed.Labels, allowed.Annotations = j.Spec.Template.Labels, j.Spec.Template.Annotations
	from, to := &j.Spec.Template.Spec, &allowed.Spec
	to.NodeSelector, to.Tolerations, to.SchedulingGates = from.NodeSelector, from.Tolerations, from.SchedulingGates
	to.Affinity = withNodeAffinity(to.Affinity, from.Affinity)
	withResources(to.InitContainers, from.InitContainers)
	withResources(to.Containers, from.Containers)
	if !equality.Semantic.DeepEqual(*from, *to) {
		return field.ErrorList{field.Invalid(path.Child("spec"), kind.Untagged(*from), "field is immutable")}
	}
	return nil
}

// withResources gives containers the resources that others, in the same order, have.
func withResources(to, from []corev1.Container) {
	for i := range min(len(to), len(from)) {
		to[i].Resources = from[i].Resources
	}
}

// waiting is true for a suspended Job that has no start time: it never ran, or what ran is gone.
func waiting(j *batchv1.Job) bool {
	return j.Spec.Suspend != nil && *j.Spec.Suspend && j.Status.StartTime == nil
}

// withNodeAffinity is an affinity with the rules for nodes that another has.
func withNodeAffinity(a, other *corev1.Affinity) *corev1.Affinity {
	out := corev1.Affinity{}
	if a != nil {
		out = *a
	}
	out.NodeAffinity = nil
	if other != nil {
		out.NodeAffinity = other.NodeAffinity
	}
	if out == (corev1.Affinity{}) && other == nil {
		return nil
	}
	return &out
}
