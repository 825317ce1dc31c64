package rescheduling

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// replicas of the Deployment whose pods are lost.
const replicas = 4

func declareLostWorker() {
	It("runs the pods of a killed worker elsewhere, and not twice when it returns", Serial, Label("RESCHED-001", scene.NodeControl), func(ctx SpecContext) {
		s := scene.New(ctx)
		lost := losing(ctx, s, func(node string) fault.Fault { return fault.KillNode(s.Control(), node, s.KubeletOf(node)) })
		after := s.Run(ctx, scene.On(lost, s.Echo("after", nil)))
		Expect(after.Spec.NodeName).To(Equal(lost))
	})
	It("runs the pods of a frozen worker elsewhere, and ends the old ones when it thaws", Serial, Label("RESCHED-003", scene.NodeControl), func(ctx SpecContext) {
		s := scene.New(ctx)
		losing(ctx, s, func(node string) fault.Fault { return fault.PauseNode(s.Control(), node, s.KubeletOf(node)) })
	})
	It("runs the pods of a worker elsewhere that no control plane reaches, and ends the old ones when one does", Serial, Label("RESCHED-004", scene.NodeControl), func(ctx SpecContext) {
		s := scene.New(ctx)
		cut := append(s.NodesOf(cluster.ControlPlane, 1), cluster.Balancer)
		losing(ctx, s, func(node string) fault.Fault { return fault.Isolate(s.Cluster, node, cut...) })
	})
}

// losing breaks the worker that runs most pods of a Deployment: they run elsewhere in time, and once it is back each runs once. It returns the worker.
func losing(ctx context.Context, s *scene.Scene, breaking func(node string) fault.Fault) (lost string) {
	GinkgoHelper()
	s.Control()
	workers := s.NodesOf(cluster.Worker, 2)
	s.Deploy(ctx, impatient(s.Deployment("web", replicas)))
	lost = busiest(s.PodsOf(ctx, "web"), workers)
	gone := uidsOn(s.PodsOf(ctx, "web"), lost)
	if len(gone) == 0 {
		scene.Inconclusive("no pod ran on a worker")
	}
	at := time.Now()
	broken := s.Break(ctx, breaking(lost))
	took := scene.Within(ctx, budget.Moved, at, fmt.Sprintf("the %d pods of %s run elsewhere", len(gone), lost), func(ctx context.Context) error {
		return runElsewhere(ctx, s, lost)
	})
	scene.Record("moved", "%d pods of %s run elsewhere after %.1f s", len(gone), lost, took.Seconds())
	scene.Heal(ctx, broken)
	s.WaitNodesReady(ctx)
	scene.Mark(verdict.Phase, "node "+lost, "it is Ready again")
	Eventually(ctx, func(ctx context.Context) error { return onlyOnce(ctx, s, lost, gone) }).
		WithTimeout(budget.PodStop.Limit()).WithPolling(target.Poll).Should(Succeed())
	return lost
}

// impatient makes the pods of a Deployment leave a lost node as soon as it is known to be lost.
func impatient(d *appsv1.Deployment) *appsv1.Deployment {
	soon := int64(budget.TolerateLost.Limit().Seconds())
	for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		d.Spec.Template.Spec.Tolerations = append(d.Spec.Template.Spec.Tolerations, corev1.Toleration{
			Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &soon,
		})
	}
	return d
}

// busiest is the node with most of the pods.
func busiest(pods []corev1.Pod, nodes []string) (most string) {
	for _, n := range nodes {
		if most == "" || len(uidsOn(pods, n)) > len(uidsOn(pods, most)) {
			most = n
		}
	}
	return most
}

func uidsOn(pods []corev1.Pod, node string) map[string]bool {
	uids := map[string]bool{}
	for _, p := range pods {
		if p.Spec.NodeName == node {
			uids[string(p.UID)] = true
		}
	}
	return uids
}

// runElsewhere: as many pods as wanted are Ready on other nodes.
func runElsewhere(ctx context.Context, s *scene.Scene, lost string) error {
	pods, ready := s.PodsOf(ctx, "web"), 0
	for _, p := range pods {
		if p.Spec.NodeName != lost && p.Spec.NodeName != "" && scene.IsReady(&p) {
			ready++
		}
	}
	if ready != replicas || len(pods) != replicas {
		return fmt.Errorf("%d pods, %d of them Ready on other nodes than %s", len(pods), ready, lost)
	}
	return nil
}

// onlyOnce: the pods that were lost are gone from the API, and their processes from the node that has returned.
func onlyOnce(ctx context.Context, s *scene.Scene, node string, gone map[string]bool) error {
	all, err := s.API.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + node})
	if err != nil {
		return err
	}
	wanted := 0
	for _, p := range all.Items {
		if gone[string(p.UID)] {
			return fmt.Errorf("pod %s is still there", p.Name)
		}
		if p.Status.Phase == corev1.PodRunning && p.Spec.Containers[0].Name == "echo" {
			wanted++
		}
	}
	running, err := s.Control().Processes(ctx, node, "echo")
	if err == nil && len(running) != wanted {
		err = fmt.Errorf("%d echo processes run on %s, and %d pods should", len(running), node, wanted)
	}
	return err
}
