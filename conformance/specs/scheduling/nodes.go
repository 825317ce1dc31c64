package scheduling

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareNodes() {
	It("places pods by their node selectors and node affinity", Label("SCHED-002"), func(ctx SpecContext) {
		s := scene.New(ctx)
		a, b := pair(ctx, s)
		Expect(place(ctx, s, s.Idle("selector", onNodes(s.Marked("b"))))).To(Equal(b))
		Expect(place(ctx, s, s.Idle("in", func(spec *corev1.PodSpec) { require(spec, s.Mark(), corev1.NodeSelectorOpIn, "a", "c") }))).To(Equal(a))
		for _, want := range []struct{ value, node string }{{"a", a}, {"b", b}} {
			preferring := s.Idle("preferring-"+want.value, onPair(s), prefer(s.Mark(), want.value))
			Expect(place(ctx, s, preferring)).To(Equal(want.node), "a preference that nothing opposes is followed")
		}
		s.Create(ctx, s.Idle("nowhere", onNodes(s.Marked("c"))))
		s.WaitUnschedulable(ctx, "nowhere")
		s.LabelNode(ctx, a, "c")
		Expect(s.WaitReady(ctx, "nowhere").Spec.NodeName).To(Equal(a))
	})

	// Serial: a taint keeps every other spec's pods off the node.
	It("keeps pods off a tainted node unless they tolerate its taint", Serial, Label("SCHED-003"), func(ctx SpecContext) {
		s := scene.New(ctx)
		a, b := pair(ctx, s)
		s.TaintNode(ctx, a, corev1.TaintEffectNoSchedule)
		bound := refusedOnceSeen(ctx, s, "bound", onNodes(s.Marked("a")))
		s.WaitUnschedulable(ctx, bound)
		Expect(place(ctx, s, s.Idle("elsewhere", onPair(s)))).To(Equal(b))
		Expect(place(ctx, s, s.Idle("by-value", onNodes(s.Marked("a")), tolerating(corev1.Toleration{Key: s.Mark(), Value: "yes", Effect: corev1.TaintEffectNoSchedule})))).To(Equal(a))
		Expect(place(ctx, s, s.Idle("by-key", onNodes(s.Marked("a")), tolerating(corev1.Toleration{Key: s.Mark(), Operator: corev1.TolerationOpExists})))).To(Equal(a))
		s.Create(ctx, s.Idle("wrong", onNodes(s.Marked("a")), tolerating(corev1.Toleration{Key: s.Mark(), Value: "no", Effect: corev1.TaintEffectNoSchedule})))
		s.WaitUnschedulable(ctx, "wrong")
		s.UntaintNode(ctx, a)
		for _, name := range []string{bound, "wrong"} {
			Expect(s.WaitReady(ctx, name).Spec.NodeName).To(Equal(a))
		}
	})
}

// refusedOnceSeen creates a pod that the scheduler must refuse once it has seen how a node was changed, and returns the pod's name. The scheduler
// watches nodes and pods apart: it may see a pod before the change that was made earlier, as when a fault broke one of the watches just now.
// A pod that was placed meanwhile is removed, and another one asked about.
func refusedOnceSeen(ctx context.Context, s *scene.Scene, name string, configure func(*corev1.PodSpec)) string {
	GinkgoHelper()
	latest, asked := "", 0
	Eventually(ctx, func(ctx context.Context) error {
		if latest == "" {
			asked++
			latest = fmt.Sprintf("%s-%d", name, asked)
			s.Create(ctx, s.Idle(latest, configure))
		}
		pod := s.Pod(ctx, latest)
		if node := pod.Spec.NodeName; node != "" {
			s.Delete(ctx, latest)
			latest = ""
			return fmt.Errorf("pod %s was placed on %s", pod.Name, node)
		}
		_, err := scene.Refused(pod)
		return err
	}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Succeed())
	return latest
}

// prefer adds a preferred node affinity to the required one.
func prefer(key, value string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) {
		spec.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution = []corev1.PreferredSchedulingTerm{{Weight: 100, Preference: corev1.NodeSelectorTerm{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: corev1.NodeSelectorOpIn, Values: []string{value}}},
		}}}
	}
}

func tolerating(t corev1.Toleration) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) { spec.Tolerations = []corev1.Toleration{t} }
}
