package scheduling

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

// freePort is a host port of this spec alone: it lies outside the node port range and away from what nodes listen on.
const freePort = 51871

func declarePorts() {
	It("places no two pods with the same host port on one node", Label("SCHED-009"), func(ctx SpecContext) {
		s := scene.New(ctx)
		a, b := pair(ctx, s)
		Expect(place(ctx, s, s.Idle("first", onNodes(s.Marked("a")), hostPort(corev1.ProtocolTCP)))).To(Equal(a))
		Expect(place(ctx, s, s.Idle("second", onPair(s), hostPort(corev1.ProtocolTCP)))).To(Equal(b), "the port is taken on the other node")
		s.Create(ctx, s.Idle("third", onPair(s), hostPort(corev1.ProtocolTCP)))
		s.WaitUnschedulable(ctx, "third")
		Expect(place(ctx, s, s.Idle("datagrams", onNodes(s.Marked("a")), hostPort(corev1.ProtocolUDP)))).To(Equal(a), "another protocol is another port")
		s.Delete(ctx, "second")
		Expect(s.WaitReady(ctx, "third").Spec.NodeName).To(Equal(b))
	})
}

func hostPort(protocol corev1.Protocol) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) {
		spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: scene.EchoPort, HostPort: freePort, Protocol: protocol}}
	}
}

// podsOn are the names of the pods on a node that a selector picks.
func podsOn(ctx context.Context, s *scene.Scene, node, selector string) []string {
	GinkgoHelper()
	list, err := s.API.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector, FieldSelector: "spec.nodeName=" + node})
	Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, p := range list.Items {
		names = append(names, p.Name)
	}
	return names
}
