package status

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// Publisher writes statuses.
type Publisher struct {
	Client corev1client.PodsGetter
}

// Publish patches the difference between the pod's status as known and want, and returns the pod as it is then. Nothing is sent when they
// are equal. The patch names the UID, so that it never lands on a namesake.
func (p Publisher) Publish(ctx context.Context, pod *corev1.Pod, want corev1.PodStatus) (*corev1.Pod, error) {
	if equality.Semantic.DeepEqual(pod.Status, want) {
		return pod, nil
	}
	patch, err := Patch(pod, want)
	if err != nil {
		return nil, fmt.Errorf("compare the statuses of pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	updated, err := p.Client.Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil {
		return nil, fmt.Errorf("patch the status of pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return updated, nil
}

// Patch is the strategic merge patch from the pod's status to want.
func Patch(pod *corev1.Pod, want corev1.PodStatus) ([]byte, error) {
	before, err := json.Marshal(corev1.Pod{Status: pod.Status})
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: pod.UID}, Status: want})
	if err != nil {
		return nil, err
	}
	return strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Pod{})
}
