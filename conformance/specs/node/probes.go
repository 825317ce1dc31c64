package node

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareProbes() {
	It("restarts only the container whose liveness probe fails, and counts it", Label("NODE-003"), func(ctx SpecContext) {
		s := scene.New(ctx)
		pod := s.Echo("pair", nil)
		pod.Spec.Containers[0].LivenessProbe = scene.HTTPProbe("/healthz")
		pod.Spec.Containers[0].LivenessProbe.FailureThreshold = 8 // the second run may be slow to listen, and must not be restarted for that
		well := second(s, "well")
		well.LivenessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/env", "PATH"}}}}
		pod.Spec.Containers = append(pod.Spec.Containers, well)
		// Its answer is good, but comes after the second that a probe waits.
		late := s.Echo("late", nil)
		late.Spec.Containers[0].LivenessProbe = scene.HTTPProbe("/delay?ms=3000")
		s.Create(ctx, late)
		before := s.Run(ctx, pod)
		tell(ctx, s, "pair", scene.EchoPort, "/fail")
		after := s.WaitRestarted(ctx, "pair", "echo", 1)
		Expect(after.UID).To(Equal(before.UID))
		Expect(after.Status.PodIP).To(Equal(before.Status.PodIP))
		Expect(scene.Status(after, "echo").LastTerminationState.Terminated).NotTo(BeNil(), "how the first run ended is kept")
		Expect(scene.Status(after, "well")).To(Equal(scene.Status(before, "well")), "its neighbour was touched")
		Eventually(ctx, func(ctx context.Context) int32 { return scene.Status(s.Pod(ctx, "late"), "echo").RestartCount }).
			WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(BeNumerically(">=", 1), "a probe that is answered too late has failed")
	})

	It("takes a pod for ready only while its containers and its readiness gates are", Label("NODE-004"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Expose(ctx, "web")
		gate := corev1.PodConditionType("plumb.io/switch")
		gated := s.Echo("gated", scene.App("web"))
		gated.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: gate}}
		s.Create(ctx, gated)
		s.Run(ctx, s.Echo("plain", scene.App("web")))
		Eventually(ctx, func(ctx context.Context) bool { return scene.Status(s.Pod(ctx, "gated"), "echo").Ready }).
			WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(BeTrue())
		ready := func(want map[string]bool) {
			GinkgoHelper()
			Eventually(ctx, func(ctx context.Context) map[string]bool { return endpoints(ctx, s, "web") }).
				WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Equal(want))
			Consistently(ctx, func(ctx context.Context) map[string]bool { return endpoints(ctx, s, "web") }).
				WithTimeout(budget.Quiet.Limit()).WithPolling(target.Poll).Should(Equal(want))
			Expect(scene.IsReady(s.Pod(ctx, "gated"))).To(Equal(want["gated"]))
		}
		ready(map[string]bool{"plain": true, "gated": false})
		setCondition(ctx, s, "gated", gate, corev1.ConditionTrue)
		ready(map[string]bool{"plain": true, "gated": true})
		setCondition(ctx, s, "gated", gate, corev1.ConditionFalse)
		ready(map[string]bool{"plain": true, "gated": false})
	})

	It("holds the other probes back until the startup probe has succeeded", Label("NODE-005"), func(ctx SpecContext) {
		s := scene.New(ctx)
		slow := s.Echo("slow", nil)
		slow.Spec.Containers[0].Args = []string{"--sick"}
		slow.Spec.Containers[0].StartupProbe = &corev1.Probe{PeriodSeconds: 1, FailureThreshold: 300, ProbeHandler: httpAt(scene.EchoPort, "/healthz")}
		slow.Spec.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: httpAt(scene.EchoPort, "/hostname")}
		slow.Spec.Containers[0].LivenessProbe = &corev1.Probe{PeriodSeconds: 1, FailureThreshold: 1, ProbeHandler: httpAt(scene.EchoPort, "/healthz")}
		hopeless := s.Echo("hopeless", nil)
		hopeless.Spec.Containers[0].Args = []string{"--sick"}
		hopeless.Spec.Containers[0].StartupProbe = &corev1.Probe{PeriodSeconds: 1, FailureThreshold: 2, ProbeHandler: httpAt(scene.EchoPort, "/healthz")}
		s.Create(ctx, slow)
		s.Create(ctx, hopeless)
		s.WaitPhase(ctx, "slow", corev1.PodRunning)
		Consistently(ctx, func(ctx context.Context) []bool {
			status := scene.Status(s.Pod(ctx, "slow"), "echo")
			return []bool{*status.Started, status.Ready, status.RestartCount > 0}
		}).WithTimeout(budget.Quiet.Limit()).WithPolling(target.Poll).Should(Equal([]bool{false, false, false}), "started, ready, restarted")
		tell(ctx, s, "slow", scene.EchoPort, "/recover")
		s.WaitReady(ctx, "slow")
		Expect(*scene.Status(s.Pod(ctx, "slow"), "echo").Started).To(BeTrue())
		tell(ctx, s, "slow", scene.EchoPort, "/fail")
		Eventually(ctx, func(ctx context.Context) []int32 {
			return []int32{scene.Status(s.Pod(ctx, "slow"), "echo").RestartCount, scene.Status(s.Pod(ctx, "hopeless"), "echo").RestartCount}
		}).WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(HaveEach(BeNumerically(">=", 1)), "liveness restarts once started; a startup that never succeeds restarts too")
	})
}

// endpoints are the pods behind a Service, and whether its EndpointSlices call them ready.
func endpoints(ctx context.Context, s *scene.Scene, service string) map[string]bool {
	GinkgoHelper()
	slices, err := s.API.DiscoveryV1().EndpointSlices(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + service})
	Expect(err).NotTo(HaveOccurred())
	ready := map[string]bool{}
	for _, slice := range slices.Items {
		for _, e := range slice.Endpoints {
			if e.TargetRef != nil {
				ready[e.TargetRef.Name] = e.Conditions.Ready != nil && *e.Conditions.Ready
			}
		}
	}
	return ready
}

func setCondition(ctx context.Context, s *scene.Scene, pod string, kind corev1.PodConditionType, status corev1.ConditionStatus) {
	GinkgoHelper()
	patch := `{"status":{"conditions":[{"type":"` + string(kind) + `","status":"` + string(status) + `"}]}}`
	_, err := s.API.CoreV1().Pods(s.Namespace).Patch(ctx, pod, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
	Expect(err).NotTo(HaveOccurred(), "set condition %s of pod %s", kind, pod)
}
