package podspec_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

func burstable(change func(*corev1.PodSpec)) *corev1.Pod {
	p := &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "i", Image: "x", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("10m")}}}},
		Containers: []corev1.Container{{Name: "c", Image: "x", Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("64Mi"), "ephemeral-storage": resource.MustParse("1Gi")},
			Limits:   corev1.ResourceList{"cpu": resource.MustParse("200m"), "memory": resource.MustParse("128Mi"), "ephemeral-storage": resource.MustParse("1Gi")},
		}}},
	}}
	change(&p.Spec)
	podspec.DefaultPod(&p.Spec)
	podspec.Default(&p.Spec)
	return p
}

// The rows are what stock answers.
func TestResize(t *testing.T) {
	const mutable = "spec: Forbidden: only cpu and memory resources are mutable"
	for _, row := range []struct {
		name   string
		change func(*corev1.PodSpec)
		want   string
	}{
		{"more", func(s *corev1.PodSpec) { s.Containers[0].Resources.Limits["cpu"] = resource.MustParse("300m") }, ""},
		{"of an init container", func(s *corev1.PodSpec) { s.InitContainers[0].Resources.Requests["cpu"] = resource.MustParse("20m") }, ""},
		{"what is no resource does not count", func(s *corev1.PodSpec) { s.Containers[0].Image, s.NodeName = "other", "n" }, ""},
		{"a limit goes", func(s *corev1.PodSpec) { delete(s.Containers[0].Resources.Limits, "cpu") }, "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"},
		{"all go", func(s *corev1.PodSpec) { s.Containers[0].Resources = corev1.ResourceRequirements{} },
			"[spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed, spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed, " + mutable + "]"},
		{"storage", func(s *corev1.PodSpec) {
			s.Containers[0].Resources.Limits["ephemeral-storage"] = resource.MustParse("2Gi")
		}, mutable},
		{"the policy", func(s *corev1.PodSpec) {
			s.Containers[0].ResizePolicy = []corev1.ContainerResizePolicy{{ResourceName: "cpu", RestartPolicy: corev1.RestartContainer}}
		}, mutable},
		{"a container more", func(s *corev1.PodSpec) {
			s.Containers = append(s.Containers, corev1.Container{Name: "new", Image: "x"})
		},
			"spec.containers: Forbidden: containers may not be added or removed on resize"},
		{"an init container less", func(s *corev1.PodSpec) { s.InitContainers = nil },
			"spec.initContainers: Forbidden: initContainers may not be added or removed on resize"},
	} {
		old, wanted := burstable(func(*corev1.PodSpec) {}), burstable(row.change)
		wanted.Spec = podspec.Resized(&wanted.Spec, &old.Spec)
		got := ""
		if err := podspec.ValidateResize(wanted, old).ToAggregate(); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}

func TestResizeKeepsTheClassAndNamesTheOldOne(t *testing.T) {
	whole := corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("1Gi")}
	pod := func(requests corev1.ResourceList) *corev1.Pod {
		return burstable(func(s *corev1.PodSpec) {
			s.InitContainers = nil
			s.Containers[0].Resources = corev1.ResourceRequirements{Requests: requests, Limits: whole}
		})
	}
	err := podspec.ValidateResize(pod(corev1.ResourceList{"cpu": resource.MustParse("500m"), "memory": resource.MustParse("1Gi")}), pod(whole)).ToAggregate()
	if want := `spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
