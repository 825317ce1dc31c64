package node

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareOrder() {
	It("runs init containers one after another, each to its end, before any app container", Label("NODE-001"), func(ctx SpecContext) {
		s := scene.New(ctx)
		ordered := podOf(s, "ordered", noter(s, "app", "-stay", "/shared/log", "app"))
		ordered.Spec.InitContainers = []corev1.Container{noter(s, "first", "-for", "500ms", "/shared/log", "first"), noter(s, "second", "/shared/log", "second")}
		broken := podOf(s, "broken", noter(s, "app", "/shared/log", "app"))
		broken.Spec.RestartPolicy = corev1.RestartPolicyNever
		broken.Spec.InitContainers = []corev1.Container{noter(s, "first", "-exit", "3", "/shared/log", "first"), noter(s, "second", "/shared/log", "second")}
		s.Create(ctx, broken)
		s.Run(ctx, ordered)
		Eventually(ctx, func(ctx context.Context) (string, error) { return s.Exec(ctx, "ordered", "app", "/cat", "/shared/log") }).
			WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Equal("first began\nfirst ended\nsecond began\nsecond ended\napp began\n"))
		failed := s.WaitPhase(ctx, "broken", corev1.PodFailed)
		Expect(scene.Status(failed, "first").State.Terminated).To(HaveField("ExitCode", BeEquivalentTo(3)))
		for _, later := range []string{"second", "app"} {
			Expect(scene.Status(failed, later).ContainerID).To(BeEmpty(), "container %s was started after an init container had failed", later)
		}
	})

	It("starts a restartable init container before the app, and ends it after", Label("NODE-002"), func(ctx SpecContext) {
		s := scene.New(ctx)
		always := corev1.ContainerRestartPolicyAlways
		job := podOf(s, "job", corev1.Container{Name: "client", Image: s.Image("requester"), Args: []string{"--count=1", "--url=http://127.0.0.1:8080/hostname"}})
		job.Spec.RestartPolicy = corev1.RestartPolicyNever
		job.Spec.InitContainers = []corev1.Container{{
			Name: "side", Image: s.Image("echo"), RestartPolicy: &always,
			StartupProbe: &corev1.Probe{InitialDelaySeconds: 3, PeriodSeconds: 1, FailureThreshold: 60, ProbeHandler: httpAt(scene.EchoPort, "/healthz")},
		}}
		s.Create(ctx, job)
		stack := podOf(s, "stack", noter(s, "app", "-stay", "-for", "2s", "/shared/log", "app"))
		thirty := int64(30)
		stack.Spec.TerminationGracePeriodSeconds = &thirty
		for _, name := range []string{"outer", "inner"} {
			side := noter(s, name, "-stay", "/shared/log", name)
			side.RestartPolicy = &always
			stack.Spec.InitContainers = append(stack.Spec.InitContainers, side)
		}
		s.Run(ctx, stack)
		ends := followEnds(ctx, s, "stack", "app", "inner", "outer")
		s.Delete(ctx, "stack")
		Expect(ends()).To(Equal([]string{"app", "inner", "outer"}), "the order in which they ended")

		done := s.WaitPhase(ctx, "job", corev1.PodSucceeded)
		side, client := scene.Status(done, "side"), scene.Status(done, "client")
		Expect(side.State.Terminated).NotTo(BeNil(), "the pod ended, and its sidecar runs on")
		Expect(client.State.Terminated.StartedAt.Sub(side.State.Terminated.StartedAt.Time)).To(BeNumerically(">=", 2*time.Second), "the app started before its sidecar had")
		log, err := s.Logs(ctx, "job", corev1.PodLogOptions{Container: "client"})
		Expect(err).NotTo(HaveOccurred())
		Expect(log).To(ContainSubstring(`"status":200`))
	})
}
