package routing

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/history/routes"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

func declareLost() {
	It("stops sending to a pod whose container has crashed", Label("ROUTE-010"), func(ctx SpecContext) {
		s := scene.New(ctx)
		service := s.Expose(ctx, "web")
		client(ctx, s, "client", "")
		web(ctx, s, never, "one", "two", "three")
		calls := callsTo(ctx, s, "client", "http://"+service.Spec.ClusterIP, "one", "two", "three")
		at := time.Now()
		s.Break(ctx, s.Exit("two"))
		all := held(ctx, calls, at, budget.EndpointLost.Limit())
		spent(calls, routes.Between(all, calls.At(at), routes.End), budget.EndpointLost, at, "requests to the crashed pod")
	})

	It("stops sending to the pods of a lost node once it is given up", Serial, Label("ROUTE-011", scene.NodeControl), func(ctx SpecContext) {
		s := scene.New(ctx)
		control, workers := s.Control(), s.NodesOf(cluster.Worker, 2)
		lost, left := workers[0], workers[1]
		service := s.Expose(ctx, "web")
		client(ctx, s, "client", left)
		web(ctx, s, scene.OnNode(lost), "lost")
		web(ctx, s, scene.OnNode(left), "left")
		calls := callsTo(ctx, s, "client", "http://"+service.Spec.ClusterIP, "lost", "left")
		at := time.Now()
		killed := s.Break(ctx, fault.KillNode(control, lost, s.KubeletOf(lost)))
		scene.Within(ctx, budget.NodeGivenUp, at, "node "+lost+" is given up", func(ctx context.Context) error { return notReady(ctx, s, lost) })
		givenUp := time.Now()
		all := held(ctx, calls, at, givenUp.Sub(at)+budget.EndpointLost.Limit())
		spent(calls, routes.Between(all, calls.At(givenUp), routes.End), budget.EndpointLost, givenUp, "requests to the node that was given up")
		scene.Heal(ctx, killed)
		s.WaitNodesReady(ctx)
	})

	It("binds a client with session affinity to another pod when its own is lost", Label("ROUTE-015"), func(ctx SpecContext) {
		s := scene.New(ctx)
		service := s.Expose(ctx, "web", func(spec *corev1.ServiceSpec) { spec.SessionAffinity = corev1.ServiceAffinityClientIP })
		client(ctx, s, "client", "")
		web(ctx, s, nil, "one", "two", "three")
		calls := callsTo(ctx, s, "client", "http://"+service.Spec.ClusterIP)
		before := calls.All(ctx)
		own := before[len(before)-1].Who
		at, now := time.Now(), int64(0)
		scene.Mark(verdict.Phase, "pod "+own, "its client loses it")
		Expect(s.API.CoreV1().Pods(s.Namespace).Delete(ctx, own, metav1.DeleteOptions{GracePeriodSeconds: &now})).To(Succeed())
		calls.WaitSince(ctx, at.Add(budget.EndpointLost.Limit()/2), enough)
		web(ctx, s, nil, "four")
		calls.WaitSince(ctx, time.Now(), enough)
		all := held(ctx, calls, at, budget.EndpointLost.Limit())
		other, wrong := routes.Moved(all, own, calls.Earliest(at))
		scene.Record("moved", "the client of %s moved to %s", own, other)
		Expect(wrong).To(BeEmpty())
	})
}

// spent notes how much of a budget passed until the last lost request was sent, at least: the judge, too, gives what the clocks leave open.
func spent(calls *scene.Calls, loss routes.Loss, b budget.Budget, from time.Time, subject string) {
	last := time.Duration(0)
	if loss.Lost > 0 {
		last = max(loss.Last-calls.Latest(from), 0)
	}
	scene.Spent(b, from, last, subject)
}

// notReady fails while a node counts as Ready.
func notReady(ctx context.Context, s *scene.Scene, name string) error {
	node, err := s.API.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err == nil && target.NodeReady(node) {
		err = fmt.Errorf("node %s is Ready", name)
	}
	return err
}

func declareInfrastructure() {
	It("goes on routing while the proxy of a node is killed, and follows what changed meanwhile", Serial, Label("ROUTE-013", scene.NodeControl), func(ctx SpecContext) {
		s := scene.New(ctx)
		control, node := s.Control(), s.NodesOf(cluster.Worker, 1)[0]
		service := s.Expose(ctx, "web")
		client(ctx, s, "client", node)
		web(ctx, s, nil, "one", "two", "three")
		calls := callsTo(ctx, s, "client", "http://"+service.Spec.ClusterIP, "one", "two", "three")
		at := time.Now()
		// A killed proxy may be back before anything can change: it is frozen first, and misses what it must find out when it starts.
		frozen := s.Break(ctx, fault.PauseComponent(control, node, "kube-proxy", ""))
		s.Relabel(ctx, "three", "")
		Eventually(ctx, s.Endpoints).WithArguments("web").WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(ConsistOf("one", "two"))
		killed := s.Break(ctx, fault.KillComponent(control, node, "kube-proxy"))
		removed := time.Now()
		scene.Within(ctx, budget.Converge, removed, "the new proxy avoids the removed endpoint", func(ctx context.Context) error {
			from := time.Now()
			calls.WaitSince(ctx, from, enough)
			if m := routes.After(calls.All(ctx), routes.Removal{Who: "three", At: calls.At(from), Until: routes.End}); m.Wrong > 0 {
				return fmt.Errorf("it got %d of %d requests", m.Wrong, m.Sent)
			}
			return nil
		})
		held(ctx, calls, at, 0)
		scene.Heal(ctx, killed)
		scene.Heal(ctx, frozen)
	})

	It("resolves names while a DNS pod is killed", Serial, Label("ROUTE-014", scene.NodeControl), func(ctx SpecContext) {
		s := scene.New(ctx)
		server := dnsServer(ctx, s)
		s.Expose(ctx, "web")
		client(ctx, s, "client", "")
		web(ctx, s, nil, "one")
		calls := callsTo(ctx, s, "client", "http://web", "one")
		at := time.Now()
		killed := s.Break(ctx, s.KillPod(server, "coredns", dnsSelector))
		all := held(ctx, calls, at, budget.NamesBack.Limit())
		spent(calls, routes.Between(all, calls.At(at), routes.End), budget.NamesBack, at, "names that are not resolved")
		scene.Heal(ctx, killed)
	})
}

// dnsSelector picks the pods of the cluster's DNS: that label is stock's.
const dnsSelector = "k8s-app=kube-dns"

// dnsServer is one of the pods of the cluster's DNS. Where there is only one, names do not resolve until it is replaced; one that a fault before this
// took away is waited for.
func dnsServer(ctx context.Context, s *scene.Scene) *corev1.Pod {
	GinkgoHelper()
	var ready []corev1.Pod
	late := time.Now().Add(budget.PodStart.Limit())
	Eventually(ctx, func(ctx context.Context) error {
		list, err := s.API.CoreV1().Pods(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{LabelSelector: dnsSelector})
		if err != nil {
			return err
		}
		if ready = scene.Serving(list.Items); len(ready) < 2 && time.Now().Before(late) {
			return fmt.Errorf("the cluster's DNS has %d ready pods", len(ready))
		}
		return nil
	}).WithTimeout(budget.PodStart.Limit() + budget.Converge.Limit()).WithPolling(target.Poll).Should(Succeed())
	if len(ready) < 2 {
		scene.Inconclusive("the cluster's DNS has %d ready pods (%s): two are needed to lose one", len(ready), dnsSelector)
	}
	return &ready[0]
}
