package scene

import (
	"context"
	"fmt"
	"strconv"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// Idle is a pod that only has to be somewhere: one container that runs, no port and no probe.
func (s *Scene) Idle(name string, alter ...func(*corev1.PodSpec)) *corev1.Pod {
	pod := s.Echo(name, App(name))
	pod.Spec.Containers[0].ReadinessProbe, pod.Spec.Containers[0].Ports = nil, nil
	for _, a := range alter {
		a(&pod.Spec)
	}
	return pod
}

// On binds a pod to a node through the scheduler.
func On(node string, pod *corev1.Pod) *corev1.Pod {
	OnNode(node)(&pod.Spec)
	return pod
}

// OnNode does so to a pod's spec.
func OnNode(node string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) { spec.NodeSelector = map[string]string{corev1.LabelHostname: node} }
}

// Create creates a pod and does not wait.
func (s *Scene) Create(ctx context.Context, pod *corev1.Pod) *corev1.Pod {
	ginkgo.GinkgoHelper()
	created, err := s.API.CoreV1().Pods(s.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "create pod %s", pod.Name)
	return created
}

// Pod reads a pod; it must be there.
func (s *Scene) Pod(ctx context.Context, name string) *corev1.Pod {
	ginkgo.GinkgoHelper()
	pod, err := s.API.CoreV1().Pods(s.Namespace).Get(ctx, name, metav1.GetOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "get pod %s", name)
	return pod
}

// Delete deletes a pod with its own grace period and does not wait.
func (s *Scene) Delete(ctx context.Context, name string) {
	ginkgo.GinkgoHelper()
	gomega.Expect(s.API.CoreV1().Pods(s.Namespace).Delete(ctx, name, metav1.DeleteOptions{})).To(gomega.Succeed(), "delete pod %s", name)
}

// WaitGone waits until a pod is no longer there.
func (s *Scene) WaitGone(ctx context.Context, name string) {
	ginkgo.GinkgoHelper()
	gomega.Eventually(ctx, func(ctx context.Context) bool {
		_, err := s.API.CoreV1().Pods(s.Namespace).Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}).WithTimeout(budget.PodStop.Limit()).WithPolling(target.Poll).Should(gomega.BeTrue(), "pod %s is gone", name)
}

// Ending fails while a pod is neither told to end nor gone.
func (s *Scene) Ending(ctx context.Context, name string) error {
	pod, err := s.API.CoreV1().Pods(s.Namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err == nil && pod.DeletionTimestamp == nil:
		return fmt.Errorf("pod %s is not told to end", name)
	}
	return err
}

// Relabel makes a pod one of an app, or of none: its Services follow, and nothing happens to its containers.
func (s *Scene) Relabel(ctx context.Context, pod, app string) {
	ginkgo.GinkgoHelper()
	label := `null`
	if app != "" {
		label = strconv.Quote(app)
	}
	patch := fmt.Sprintf(`{"metadata":{"labels":{"app":%s}}}`, label)
	_, err := s.API.CoreV1().Pods(s.Namespace).Patch(ctx, pod, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "label pod %s", pod)
}

// Condition is a pod's condition of a kind; its zero value when it has none.
func Condition(pod *corev1.Pod, kind corev1.PodConditionType) corev1.PodCondition {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.PodCondition{}
}

// Refused returns what the scheduler said of a pod that fits nowhere, or an error while it has not said so.
func Refused(pod *corev1.Pod) (corev1.PodCondition, error) {
	said := Condition(pod, corev1.PodScheduled)
	if said.Status != corev1.ConditionFalse || said.Reason != corev1.PodReasonUnschedulable {
		return said, fmt.Errorf("pod %s: PodScheduled is %q, reason %q", pod.Name, said.Status, said.Reason)
	}
	return said, nil
}

// WaitUnschedulable waits until the scheduler has said that a pod fits nowhere, and returns what it said.
func (s *Scene) WaitUnschedulable(ctx context.Context, name string) corev1.PodCondition {
	ginkgo.GinkgoHelper()
	var said corev1.PodCondition
	gomega.Eventually(ctx, func(ctx context.Context) error {
		pod, err := s.API.CoreV1().Pods(s.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if pod.Spec.NodeName != "" {
			return gomega.StopTrying(fmt.Sprintf("pod %s was placed on %s", name, pod.Spec.NodeName))
		}
		said, err = Refused(pod)
		return err
	}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(gomega.Succeed())
	return said
}

// StaysUnplaced watches for a while that a pod gets no node.
func (s *Scene) StaysUnplaced(ctx context.Context, name string) {
	ginkgo.GinkgoHelper()
	gomega.Consistently(ctx, func(ctx context.Context) (string, error) {
		pod, err := s.API.CoreV1().Pods(s.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		return pod.Spec.NodeName, nil
	}).WithTimeout(budget.Quiet.Limit()).WithPolling(target.Poll).Should(gomega.BeEmpty(), "pod %s got a node", name)
}
