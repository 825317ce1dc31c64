package status

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
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

// A pod without resources of its own tells those of its containers together.
func TestResourcesOfContainersAreThoseOfThePod(t *testing.T) {
	list := func(name corev1.ResourceName, text string) corev1.ResourceList {
		return corev1.ResourceList{name: resource.MustParse(text)}
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{
		{Name: "a", Resources: corev1.ResourceRequirements{Requests: list("cpu", "10m"), Limits: list("memory", "64Mi")}},
		{Name: "b", Resources: corev1.ResourceRequirements{Requests: list("cpu", "137m")}},
	}}}
	got := Compute(Seen{Pod: pod})
	if cpu := got.Resources.Requests.Cpu().String(); cpu != "147m" {
		t.Errorf("requests of cpu %s, want 147m", cpu)
	}
	if memory := got.Resources.Limits.Memory().String(); memory != "64Mi" {
		t.Errorf("limit of memory %s, want 64Mi", memory)
	}
	if cpu := got.AllocatedResources.Cpu().String(); cpu != "147m" {
		t.Errorf("allocated cpu %s, want 147m", cpu)
	}
}
