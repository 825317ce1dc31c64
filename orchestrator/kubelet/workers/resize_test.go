package workers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/cgroups"
)

func requirements(cpu, memory string) corev1.ResourceRequirements {
	list := corev1.ResourceList{}
	for name, text := range map[corev1.ResourceName]string{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory} {
		if text != "" {
			list[name] = resource.MustParse(text)
		}
	}
	return corev1.ResourceRequirements{Limits: list}
}

func TestChangeBetween(t *testing.T) {
	memoryRestarts := []corev1.ContainerResizePolicy{{ResourceName: corev1.ResourceMemory, RestartPolicy: corev1.RestartContainer}}
	for _, row := range []struct {
		name     string
		had, now corev1.ResourceRequirements
		policy   []corev1.ContainerResizePolicy
		want     change
	}{
		{name: "the same", had: requirements("1", "1Gi"), now: requirements("1000m", "1024Mi"), want: unchanged},
		{name: "more CPU", had: requirements("1", "1Gi"), now: requirements("2", "1Gi"), want: inPlace},
		{name: "a limit added", had: requirements("1", ""), now: requirements("1", "1Gi"), want: inPlace},
		{name: "CPU, where memory restarts", had: requirements("1", "1Gi"), now: requirements("2", "1Gi"), policy: memoryRestarts, want: inPlace},
		{name: "memory, where memory restarts", had: requirements("1", "1Gi"), now: requirements("1", "2Gi"), policy: memoryRestarts, want: byRestart},
		{name: "both, where memory restarts", had: requirements("1", "1Gi"), now: requirements("2", "2Gi"), policy: memoryRestarts, want: byRestart},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := changeBetween(row.had, &corev1.Container{Resources: row.now, ResizePolicy: row.policy}); got != row.want {
				t.Errorf("change %d, want %d", got, row.want)
			}
		})
	}
}

func TestLargerKeepsThePodAtLeastAsLargeAsItsContainers(t *testing.T) {
	small, big := cgroups.Limits{Shares: 10, Quota: 100, Memory: 5}, cgroups.Limits{Shares: 20, Quota: cgroups.Unlimited, Memory: 9}
	for _, pair := range [][2]cgroups.Limits{{small, big}, {big, small}} {
		if got := larger(pair[0], pair[1]); got != big {
			t.Errorf("larger of %v is %v, want %v", pair, got, big)
		}
	}
}
