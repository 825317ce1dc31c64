package volumes

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Huge pages could be asked for, and then no volume of them be mounted.
func TestPagesOfAVolumeAreThoseThatContainersAskFor(t *testing.T) {
	pod := func(sizes ...string) *corev1.Pod {
		p := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c"}}}}
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}
		for _, size := range sizes {
			p.Spec.Containers[0].Resources.Requests[corev1.ResourceName("hugepages-"+size)] = resource.MustParse("2Gi")
		}
		return p
	}
	for name, row := range map[string]struct {
		medium corev1.StorageMedium
		pod    *corev1.Pod
		page   int64
		says   string
	}{
		"the one size":    {"HugePages", pod("2Mi"), 2 << 20, ""},
		"no size":         {"HugePages", pod(), 0, "ask for 0"},
		"two sizes":       {"HugePages", pod("2Mi", "1Gi"), 0, "ask for 2"},
		"by name":         {"HugePages-1Gi", pod("2Mi", "1Gi"), 1 << 30, ""},
		"by another name": {"HugePages-1Gi", pod("2Mi"), 0, "no container asks for hugepages-1Gi"},
		"something else":  {"Tape", pod("2Mi"), 0, `"Tape" is not supported`},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := pageSize(row.pod, row.medium)
			if page != row.page || (err == nil) != (row.says == "") || (err != nil && !strings.Contains(err.Error(), row.says)) {
				t.Errorf("%d, %v; want %d, %q", page, err, row.page, row.says)
			}
		})
	}
}
