package node

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// pause is the least time before a second restart: the first pause of the back-off is 10 s; times in a status are whole seconds.
const pause = 8 * time.Second

func declareRestarts() {
	It("restarts containers as their pod's restart policy says, with growing pauses", Label("NODE-011"), func(ctx SpecContext) {
		s := scene.New(ctx)
		for _, pod := range []struct {
			name   string
			policy corev1.RestartPolicy
			args   []string
		}{
			{"done", corev1.RestartPolicyNever, nil}, {"failed", corev1.RestartPolicyNever, []string{"-exit", "3"}},
			{"retried", corev1.RestartPolicyOnFailure, []string{"-times", "3"}}, {"looping", corev1.RestartPolicyAlways, []string{"-exit", "4"}},
		} {
			p := podOf(s, pod.name, noter(s, "c", append(pod.args, "/shared/log", "c")...))
			p.Spec.RestartPolicy = pod.policy
			s.Create(ctx, p)
		}
		done := s.WaitPhase(ctx, "done", corev1.PodSucceeded)
		failed := s.WaitPhase(ctx, "failed", corev1.PodFailed)
		Expect(scene.Status(failed, "c").State.Terminated).To(And(HaveField("ExitCode", BeEquivalentTo(3)), HaveField("Reason", "Error")))
		looping := s.WaitWaiting(ctx, "looping", "c", "CrashLoopBackOff")
		Expect(scene.Status(looping, "c").LastTerminationState.Terminated).To(HaveField("ExitCode", BeEquivalentTo(4)))
		Expect(looping.Status.Phase).To(Equal(corev1.PodRunning))
		status := scene.Status(s.WaitPhase(ctx, "retried", corev1.PodSucceeded), "c")
		Expect(status.RestartCount).To(BeEquivalentTo(2))
		Expect(status.State.Terminated.StartedAt.Sub(status.LastTerminationState.Terminated.FinishedAt.Time)).To(BeNumerically(">=", pause), "the pause before the second restart")
		Expect(scene.Status(done, "c").RestartCount + scene.Status(failed, "c").RestartCount).To(BeZero())
	})

	It("ends a pod whose active deadline is over, and leaves one that has none", Label("NODE-012"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Run(ctx, s.Idle("unlimited"))
		ran := s.Run(ctx, s.Idle("limited"))
		// Set once it runs: on a slow machine the deadline of a new pod may pass before there is a container to end.
		patch := fmt.Sprintf(`{"spec":{"activeDeadlineSeconds":%d}}`, int64(time.Since(ran.Status.StartTime.Time).Seconds())+3)
		_, err := s.API.CoreV1().Pods(s.Namespace).Patch(ctx, "limited", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		Expect(err).NotTo(HaveOccurred())
		ended := s.WaitPhase(ctx, "limited", corev1.PodFailed)
		Expect(ended.Status.Reason).To(Equal("DeadlineExceeded"))
		Eventually(ctx, func(ctx context.Context) *corev1.ContainerStateTerminated {
			return scene.Status(s.Pod(ctx, "limited"), "echo").State.Terminated
		}).
			WithTimeout(budget.PodStop.Limit()).WithPolling(target.Poll).ShouldNot(BeNil(), "its container runs on")
		Expect(s.Pod(ctx, "unlimited").Status.Phase).To(Equal(corev1.PodRunning))
	})
}
