package status

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// Every runtime was called containerd.
func TestContainerIDsBeginWithTheRuntimesName(t *testing.T) {
	ended := &runtime.Container{ID: "1", Runtime: "cri-o"}
	if got := terminated(ended).ContainerID; got != "cri-o://1" {
		t.Errorf("ID of a container that ended: %s", got)
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c"}}}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "c", ContainerID: "cri-o://1", Ready: true}}
	for id, want := range map[string]bool{"1": true, "2": false} {
		if _, ready := Published(pod, podinfo.Members(pod)[0], id); ready != want {
			t.Errorf("start %s: ready %t, want %t", id, ready, want)
		}
	}
}
