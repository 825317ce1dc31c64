package scheduling

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// drain is how long a victim takes to end: long enough to see that it was let.
const drain = 3 * time.Second

func declarePriority() {
	It("ends pods of lower priority, gracefully, when one of higher priority fits nowhere else", Label("SCHED-006"), func(ctx SpecContext) {
		s := scene.New(ctx)
		low, high := s.PriorityClass(ctx, "low", 1000), s.PriorityClass(ctx, "high", 2000)
		node := s.Workers(ctx, 1)[0]
		scarce := s.AddResource(ctx, node, 2)
		place(ctx, s, s.Idle("victim", asking(scarce, "1"), ranked(low), slowToEnd))
		place(ctx, s, s.Idle("equal", asking(scarce, "1"), ranked(high)))
		s.Create(ctx, s.Idle("preemptor", asking(scarce, "1"), ranked(high)))
		var victim *corev1.Pod
		Eventually(ctx, func(ctx context.Context) bool {
			victim = s.Pod(ctx, "victim")
			return victim.DeletionTimestamp != nil
		}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(BeTrue(), "the victim is told to end")
		Expect(*victim.DeletionGracePeriodSeconds).To(BeEquivalentTo(30), "the victim has its own grace period")
		Expect(scene.Condition(victim, corev1.DisruptionTarget).Reason).To(Equal(corev1.PodReasonPreemptionByScheduler))
		Eventually(ctx, func(ctx context.Context) string { return s.Pod(ctx, "preemptor").Status.NominatedNodeName }).
			WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Equal(node))
		Eventually(ctx, func(ctx context.Context) (bool, error) {
			preemptor := s.Pod(ctx, "preemptor")
			victim, err := s.API.CoreV1().Pods(s.Namespace).Get(ctx, "victim", metav1.GetOptions{})
			if err != nil || victim.Status.Phase == corev1.PodSucceeded || victim.Status.Phase == corev1.PodFailed {
				return err == nil || apierrors.IsNotFound(err), nil
			}
			if preemptor.Spec.NodeName != "" {
				return false, StopTrying("the preemptor was placed before its victim had ended")
			}
			return false, nil
		}).WithTimeout(budget.PodStop.Limit()).WithPolling(target.Poll).Should(BeTrue())
		Expect(s.WaitReady(ctx, "preemptor").Spec.NodeName).To(Equal(node))
		Expect(scene.IsReady(s.Pod(ctx, "equal"))).To(BeTrue(), "a pod of equal priority is no victim")
	})

	It("places waiting pods by priority, and lets those wait that must not preempt", Label("SCHED-007"), func(ctx SpecContext) {
		s := scene.New(ctx)
		low, patient := s.PriorityClass(ctx, "low", 1000), s.PriorityClass(ctx, "patient", 3000, scene.NeverPreempts)
		node := s.Workers(ctx, 1)[0]
		scarce := s.AddResource(ctx, node, 1)
		place(ctx, s, s.Idle("holder", asking(scarce, "1"), ranked(low)))
		s.Create(ctx, s.Idle("second", asking(scarce, "1"), ranked(low)))
		s.WaitUnschedulable(ctx, "second")
		s.Create(ctx, s.Idle("first", asking(scarce, "1"), ranked(patient)))
		s.WaitUnschedulable(ctx, "first")
		Consistently(ctx, func(ctx context.Context) *metav1.Time { return s.Pod(ctx, "holder").DeletionTimestamp }).
			WithTimeout(budget.Quiet.Limit()).WithPolling(target.Poll).Should(BeNil(), "a pod that must not preempt had a victim")
		s.Delete(ctx, "holder")
		Expect(s.WaitReady(ctx, "first").Spec.NodeName).To(Equal(node), "the pod of higher priority goes first, though it came later")
		s.StaysUnplaced(ctx, "second")
	})
}

func ranked(class string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) { spec.PriorityClassName = class }
}

func slowToEnd(spec *corev1.PodSpec) {
	grace := int64(30)
	spec.TerminationGracePeriodSeconds = &grace
	spec.Containers[0].Args = []string{"--drain=" + drain.String()}
}
