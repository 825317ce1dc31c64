package rescheduling

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareMoved() {
	It("keeps to spread, affinity and anti-affinity when pods move", Serial, Label("RESCHED-007"), func(ctx SpecContext) {
		s := scene.New(ctx)
		workers := s.NodesOf(cluster.Worker, 2)
		nodes := []string{workers[0], workers[1], s.NodesOf(cluster.ControlPlane, 1)[0]}
		for _, n := range nodes {
			s.LabelNode(ctx, n, "here")
		}
		drained := nodes[0]
		movers := []*appsv1.Deployment{
			mover(s, "anchor", 1, drained), mover(s, "near", 1, drained, near("anchor")), mover(s, "apart", 2, drained, apart("apart")), mover(s, "spread", 4, drained, spread("spread")),
		}
		for _, d := range movers {
			s.Deploy(ctx, d)
		}
		Expect(homes(ctx, s)).To(And(HaveKeyWithValue("anchor", HaveKey(drained)), HaveKeyWithValue("apart", HaveKey(drained)), HaveKeyWithValue("spread", HaveKey(drained))))
		cordon(ctx, s, drained, true)
		DeferCleanup(func(ctx context.Context) { cordon(ctx, s, drained, false) })
		for _, d := range movers {
			drain(ctx, s, d.Name, drained)
		}
		for _, d := range movers {
			s.WaitRolledOut(ctx, d.Name)
		}
		Eventually(ctx, func(ctx context.Context) error { return placedWell(homes(ctx, s), nodes[1:]) }).
			WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Succeed())
		scene.Record("moved", "pods by app and node: %v", homes(ctx, s))
	})
}

// placedWell: pods are only on the nodes that are left, "near" beside "anchor", "apart" on one each, "spread" evenly.
func placedWell(homes map[string]map[string]int, left []string) error {
	for app, want := range map[string][]int{"apart": {1, 1}, "spread": {2, 2}} {
		if got := []int{homes[app][left[0]], homes[app][left[1]]}; got[0] != want[0] || got[1] != want[1] || len(homes[app]) != 2 {
			return fmt.Errorf("%s: pods by node %v, want %v on %v", app, homes[app], want, left)
		}
	}
	for _, n := range left {
		if homes["anchor"][n] == 1 && homes["near"][n] == 1 {
			return nil
		}
	}
	return fmt.Errorf("anchor is on %v, near on %v", homes["anchor"], homes["near"])
}

// homes counts the pods by app and node.
func homes(ctx context.Context, s *scene.Scene) map[string]map[string]int {
	GinkgoHelper()
	counts := map[string]map[string]int{}
	for _, app := range []string{"anchor", "near", "apart", "spread"} {
		counts[app] = map[string]int{}
		for _, p := range s.PodsOf(ctx, app) {
			counts[app][p.Spec.NodeName]++
		}
	}
	return counts
}

// mover is a Deployment for the nodes with the spec's mark, control planes too, that would rather be on one of them.
func mover(s *scene.Scene, name string, pods int32, rather string, alter ...func(*corev1.PodSpec)) *appsv1.Deployment {
	d := s.Deployment(name, pods)
	spec := &d.Spec.Template.Spec
	spec.NodeSelector = s.Marked("here")
	spec.Tolerations = []corev1.Toleration{{Key: "node-role.kubernetes.io/control-plane", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}}
	spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{
		Weight: 100, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{
			Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{rather},
		}}},
	}}}}
	for _, a := range alter {
		a(spec)
	}
	return d
}

func terms(app string) []corev1.PodAffinityTerm {
	return []corev1.PodAffinityTerm{{LabelSelector: &metav1.LabelSelector{MatchLabels: scene.App(app)}, TopologyKey: corev1.LabelHostname}}
}

func near(app string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) {
		spec.Affinity.PodAffinity = &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms(app)}
	}
}

func apart(app string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) {
		spec.Affinity.PodAntiAffinity = &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms(app)}
	}
}

// spread evenly over the nodes that take new pods: one that is cordoned does not count.
func spread(app string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) {
		honor := corev1.NodeInclusionPolicyHonor
		spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
			MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.DoNotSchedule, NodeTaintsPolicy: &honor,
			LabelSelector: &metav1.LabelSelector{MatchLabels: scene.App(app)},
		}}
	}
}
