package rescheduling

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareReturned() {
	It("runs the pods of a worker that was restarted again in place, and new ones", Serial, Label("RESCHED-006", scene.NodeControl), func(ctx SpecContext) {
		s := scene.New(ctx)
		control, node := s.Control(), s.NodesOf(cluster.Worker, 1)[0]
		everywhere, err := s.API.AppsV1().DaemonSets(s.Namespace).Create(ctx, s.DaemonSet("everywhere"), metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		s.Run(ctx, scene.On(node, s.Echo("alone", scene.App("alone"))))
		Eventually(ctx, func(ctx context.Context) int { return len(scene.Serving(onNode(s.PodsOf(ctx, everywhere.Name), node))) }).
			WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(Equal(1))
		before := append(onNode(s.PodsOf(ctx, everywhere.Name), node), *s.Pod(ctx, "alone"))
		scene.Heal(ctx, s.Break(ctx, fault.KillNode(control, node, s.KubeletOf(node))))
		for _, was := range before {
			Eventually(ctx, func(ctx context.Context) error { return restarted(ctx, s, was) }).
				WithTimeout(budget.NodeReturn.Limit()).WithPolling(target.Poll).Should(Succeed())
		}
		s.WaitNodesReady(ctx)
		Expect(s.Run(ctx, scene.On(node, s.Echo("new", nil))).Spec.NodeName).To(Equal(node))
	})
}

// onNode are those of the pods that a node has.
func onNode(pods []corev1.Pod, node string) (here []corev1.Pod) {
	for _, p := range pods {
		if p.Spec.NodeName == node {
			here = append(here, p)
		}
	}
	return here
}

// restarted: the same pod is Ready, in a new container.
func restarted(ctx context.Context, s *scene.Scene, was corev1.Pod) error {
	is, err := s.API.CoreV1().Pods(s.Namespace).Get(ctx, was.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if is.UID != was.UID {
		return StopTrying(fmt.Sprintf("pod %s was replaced", was.Name))
	}
	now, then := scene.Status(is, "echo"), scene.Status(&was, "echo")
	if !scene.IsReady(is) || now.ContainerID == then.ContainerID || now.State.Running == nil {
		return fmt.Errorf("pod %s: Ready %t, container %s, which was %s", was.Name, scene.IsReady(is), now.ContainerID, then.ContainerID)
	}
	return nil
}

// sameContainers: there are the same pods as before, and their containers were not restarted.
func sameContainers(now, before []corev1.Pod) error {
	containers := map[string]string{}
	for _, p := range now {
		containers[string(p.UID)] = scene.Status(&p, "echo").ContainerID
	}
	for _, p := range before {
		if was := scene.Status(&p, "echo").ContainerID; containers[string(p.UID)] != was {
			return fmt.Errorf("pod %s had container %s and has %q", p.Name, was, containers[string(p.UID)])
		}
	}
	if len(now) != len(before) {
		return fmt.Errorf("%d pods became %d", len(before), len(now))
	}
	return nil
}
