// Package scheduling is the profile of placing pods: each on a node that has what it asks for, none where a rule forbids it, and a word why it waits.
//
// Scarcity is made by a resource of the spec's own that is added to a node's status, and nodes are chosen by a label of the spec's own, so that specs
// run side by side. What touches every pod on a node is Serial.
package scheduling

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

// Declare tells Ginkgo the profile's specs.
func Declare() {
	ginkgo.Describe("scheduling", ginkgo.Label("scheduling"), func() {
		declareResources()
		declareNodes()
		declareNeighbours()
		declarePriority()
		declareGates()
		declarePorts()
	})
}

// asking has a pod ask for n of a resource.
func asking(name corev1.ResourceName, n string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) {
		list := corev1.ResourceList{name: resource.MustParse(n)}
		spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: list, Limits: list}
	}
}

// onNodes keeps a pod to nodes with a label.
func onNodes(labels map[string]string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) { spec.NodeSelector = labels }
}

// pair is two nodes that bear the spec's mark with the values a and b.
func pair(ctx context.Context, s *scene.Scene) (a, b string) {
	ginkgo.GinkgoHelper()
	nodes := s.Workers(ctx, 2)
	s.LabelNode(ctx, nodes[0], "a")
	s.LabelNode(ctx, nodes[1], "b")
	return nodes[0], nodes[1]
}

// onPair keeps a pod to the nodes of pair.
func onPair(s *scene.Scene) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) { require(spec, s.Mark(), corev1.NodeSelectorOpExists) }
}

// require adds a required node affinity.
func require(spec *corev1.PodSpec, key string, operator corev1.NodeSelectorOperator, values ...string) {
	spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: operator, Values: values}},
		}}},
	}}
}

// place creates a pod, waits until it runs, and returns its node.
func place(ctx context.Context, s *scene.Scene, pod *corev1.Pod) string {
	ginkgo.GinkgoHelper()
	return s.Run(ctx, pod).Spec.NodeName
}

// eventsOf are the messages of a pod's events with a reason.
func eventsOf(ctx context.Context, s *scene.Scene, pod, reason string) []string {
	ginkgo.GinkgoHelper()
	list, err := s.API.CoreV1().Events(s.Namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + pod})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "list events")
	var messages []string
	for _, e := range list.Items {
		if e.Reason == reason {
			messages = append(messages, e.Message)
		}
	}
	return messages
}
