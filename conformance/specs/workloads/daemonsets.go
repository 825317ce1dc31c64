package workloads

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareDaemonSets() {
	It("runs one pod of a DaemonSet on each node that it may use", Label("WORK-006"), func(ctx SpecContext) {
		s := scene.New(ctx)
		nodes, err := s.API.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		var want []string
		for _, n := range nodes.Items {
			if len(n.Spec.Taints) == 0 && !n.Spec.Unschedulable {
				want = append(want, n.Name)
			}
		}
		_, err = s.API.AppsV1().DaemonSets(s.Namespace).Create(ctx, s.DaemonSet("agent"), metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		eventuallyReady(ctx, s, "agent", len(want))
		var got []string
		for _, p := range s.PodsOf(ctx, "agent") {
			got = append(got, p.Spec.NodeName)
		}
		Expect(got).To(ConsistOf(want))
		Expect(s.API.CoreV1().Pods(s.Namespace).Delete(ctx, s.PodsOf(ctx, "agent")[0].Name, metav1.DeleteOptions{})).To(Succeed())
		eventuallyReady(ctx, s, "agent", len(want))
	})
}
