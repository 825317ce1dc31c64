package status

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// kubectl describe shows conditions in the order in which the status holds them.
func TestConditionsOfOthersStandBeforeTheKubeletsOwn(t *testing.T) {
	pod := &corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}, {Type: "example.org/gate", Status: corev1.ConditionTrue},
	}}}
	want := []corev1.PodConditionType{
		"example.org/gate", corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled,
	}
	for range 2 { // a second time changes nothing
		pod.Status = Compute(Seen{Pod: pod})
		var got []corev1.PodConditionType
		for _, c := range pod.Status.Conditions {
			got = append(got, c.Type)
		}
		if !slices.Equal(got, want) {
			t.Errorf("conditions %v, want %v", got, want)
		}
	}
}
