package scheduling

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareNeighbours() {
	It("places pods beside those they want near and apart from those they shun", Label("SCHED-004"), func(ctx SpecContext) {
		s := scene.New(ctx)
		a, b := pair(ctx, s)
		first := place(ctx, s, s.Idle("first", onPair(s)))
		other := a
		if first == a {
			other = b
		}
		Expect(place(ctx, s, s.Idle("near", onPair(s), near("first", s.Mark())))).To(Equal(first))
		Expect(place(ctx, s, s.Idle("apart", onPair(s), apart("first", s.Mark())))).To(Equal(other))
		s.Create(ctx, s.Idle("between", onPair(s), near("first", s.Mark()), apart("near", s.Mark())))
		s.WaitUnschedulable(ctx, "between")
		// A pod that shuns others is shunned by them.
		shunned := s.Idle("shunned", onNodes(s.Marked(map[string]string{a: "a", b: "b"}[other])))
		shunned.Labels = scene.App("first")
		s.Create(ctx, shunned)
		s.WaitUnschedulable(ctx, "shunned")
		s.Delete(ctx, "near")
		Expect(s.WaitReady(ctx, "between").Spec.NodeName).To(Equal(first))
		s.Delete(ctx, "apart")
		Expect(s.WaitReady(ctx, "shunned").Spec.NodeName).To(Equal(other))
	})

	It("spreads pods over topology domains within the allowed skew", Label("SCHED-005"), func(ctx SpecContext) {
		s := scene.New(ctx)
		a, b := pair(ctx, s)
		room := s.AddResource(ctx, a, 10)
		s.AddResource(ctx, b, 2)
		spread := func(name string) *corev1.Pod {
			pod := s.Idle(name, onPair(s), asking(room, "1"))
			pod.Labels["set"] = "spread"
			pod.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
				MaxSkew: 1, TopologyKey: s.Mark(), WhenUnsatisfiable: corev1.DoNotSchedule,
				LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"set": "spread"}},
			}}
			return pod
		}
		counts := map[string]int{}
		for _, name := range []string{"one", "two", "three", "four", "five"} {
			counts[place(ctx, s, spread(name))]++
		}
		Expect(counts).To(Equal(map[string]int{a: 3, b: 2}), "b has room for two, and a may have one more")
		s.Create(ctx, spread("six"))
		s.WaitUnschedulable(ctx, "six")
		// Whoever is not counted does not care for the skew.
		Expect(place(ctx, s, s.Idle("stranger", onNodes(s.Marked("a")), asking(room, "1")))).To(Equal(a))
		for _, p := range podsOn(ctx, s, a, "set=spread") {
			s.Delete(ctx, p)
			break
		}
		Expect(s.WaitReady(ctx, "six").Spec.NodeName).To(Equal(a))
	})
}

// near requires a pod of an app in the same domain.
func near(app, key string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) {
		spec.Affinity.PodAffinity = &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms(app, key)}
	}
}

// apart forbids a pod of an app in the same domain.
func apart(app, key string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) {
		spec.Affinity.PodAntiAffinity = &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms(app, key)}
	}
}

func terms(app, key string) []corev1.PodAffinityTerm {
	return []corev1.PodAffinityTerm{{LabelSelector: &metav1.LabelSelector{MatchLabels: scene.App(app)}, TopologyKey: key}}
}
