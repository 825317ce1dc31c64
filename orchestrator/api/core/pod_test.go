package core

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPodGenerationCountsWhatPeopleAskFor(t *testing.T) {
	now := metav1.Now()
	for name, row := range map[string]struct {
		change func(p *corev1.Pod)
		counts bool
	}{
		"nothing":              {func(*corev1.Pod) {}, false},
		"a label":              {func(p *corev1.Pod) { p.Labels = map[string]string{"a": "b"} }, false},
		"the status":           {func(p *corev1.Pod) { p.Status.Phase = corev1.PodRunning }, false},
		"bound to a node":      {func(p *corev1.Pod) { p.Spec.NodeName = "n" }, false},
		"an image":             {func(p *corev1.Pod) { p.Spec.Containers[0].Image = "other" }, true},
		"bound with an image":  {func(p *corev1.Pod) { p.Spec.NodeName, p.Spec.Containers[0].Image = "n", "other" }, true},
		"asked to be deleted":  {func(p *corev1.Pod) { p.DeletionTimestamp = &now }, true},
		"an ephemeral started": {func(p *corev1.Pod) { p.Spec.EphemeralContainers = make([]corev1.EphemeralContainer, 1) }, true},
	} {
		old := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}}
		p := old.DeepCopy()
		row.change(p)
		if got := podGeneration(p, old); got != row.counts {
			t.Errorf("%s: counts %v, want %v", name, got, row.counts)
		}
	}
}
