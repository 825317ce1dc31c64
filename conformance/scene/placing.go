package scene

import (
	"context"
	"fmt"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// Condition is a pod's condition of a kind; its zero value when it has none.
func Condition(pod *corev1.Pod, kind corev1.PodConditionType) corev1.PodCondition {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.PodCondition{}
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
		said = Condition(pod, corev1.PodScheduled)
		if said.Status != corev1.ConditionFalse || said.Reason != corev1.PodReasonUnschedulable {
			return fmt.Errorf("pod %s: PodScheduled is %q, reason %q", name, said.Status, said.Reason)
		}
		return nil
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
