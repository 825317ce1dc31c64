package routing

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// calls is how often specs dial to be sure that a fair choice between a few endpoints met each of them: (2/3)^40 < 1e-7.
const calls = 40

// answeredBy waits until calls to base are answered by exactly the named pods.
func answeredBy(ctx context.Context, s *scene.Scene, from, base string, names ...string) {
	GinkgoHelper()
	slices.Sort(names)
	Eventually(ctx, func(ctx context.Context) ([]string, error) {
		counts, err := s.Names(ctx, from, base, calls)
		return slices.Sorted(maps.Keys(counts)), err
	}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Equal(names), "who answers %s", base)
}

// nodeAddress is a node's InternalIP.
func nodeAddress(s *scene.Scene) string {
	for _, n := range s.Cluster.Nodes() {
		if n.Address != "" {
			return n.Address
		}
	}
	Fail("no node has an address")
	return ""
}

func declareAddresses() {
	It("spreads connections to a ClusterIP over all its pods", Label("ROUTE-001"), func(ctx SpecContext) {
		s := scene.New(ctx)
		service := s.Expose(ctx, "web")
		s.Run(ctx, s.Echo("client", nil))
		s.Run(ctx, s.Echo("one", scene.App("web")))
		s.Run(ctx, s.Echo("two", scene.App("web")))
		answeredBy(ctx, s, "client", "http://"+service.Spec.ClusterIP, "one", "two")
	})

	It("resolves a Service's name to its ClusterIP", Label("ROUTE-002"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Expose(ctx, "web")
		s.Run(ctx, s.Echo("client", nil))
		s.Run(ctx, s.Echo("one", scene.App("web")))
		answeredBy(ctx, s, "client", "http://web", "one")
		answeredBy(ctx, s, "client", fmt.Sprintf("http://web.%s.svc.cluster.local", s.Namespace), "one")
	})

	It("resolves a headless Service's name to its pods", Label("ROUTE-003"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Expose(ctx, "web", func(spec *corev1.ServiceSpec) { spec.ClusterIP = corev1.ClusterIPNone })
		s.Run(ctx, s.Echo("client", nil))
		s.Run(ctx, s.Echo("one", scene.App("web")))
		s.Run(ctx, s.Echo("two", scene.App("web")))
		var addresses []string
		for _, name := range []string{"one", "two"} {
			addresses = append(addresses, s.Pod(ctx, name).Status.PodIP)
		}
		slices.Sort(addresses)
		Eventually(ctx, func(ctx context.Context) (string, error) {
			return s.Ask(ctx, "client", scene.EchoPort, "/lookup?host=web")
		}).
			WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Equal(strings.Join(addresses, " ")), "what the name resolves to")
	})

	It("reaches a Service through its node port on a node", Label("ROUTE-004"), func(ctx SpecContext) {
		s := scene.New(ctx)
		service := s.Expose(ctx, "web", func(spec *corev1.ServiceSpec) { spec.Type = corev1.ServiceTypeNodePort })
		s.Run(ctx, s.Echo("client", nil))
		s.Run(ctx, s.Echo("one", scene.App("web")))
		s.Run(ctx, s.Echo("two", scene.App("web")))
		answeredBy(ctx, s, "client", fmt.Sprintf("http://%s:%d", nodeAddress(s), service.Spec.Ports[0].NodePort), "one", "two")
	})

	It("lets a pod reach itself through its own Service", Label("ROUTE-005"), func(ctx SpecContext) {
		s := scene.New(ctx)
		service := s.Expose(ctx, "web")
		s.Run(ctx, s.Echo("one", scene.App("web")))
		s.Run(ctx, s.Echo("client", nil))
		answeredBy(ctx, s, "one", "http://"+service.Spec.ClusterIP, "one")
	})

	It("sends a client with session affinity to the same pod each time", Label("ROUTE-006"), func(ctx SpecContext) {
		s := scene.New(ctx)
		service := s.Expose(ctx, "web", func(spec *corev1.ServiceSpec) { spec.SessionAffinity = corev1.ServiceAffinityClientIP })
		s.Run(ctx, s.Echo("client", nil))
		s.Run(ctx, s.Echo("one", scene.App("web")))
		s.Run(ctx, s.Echo("two", scene.App("web")))
		Eventually(ctx, func(ctx context.Context) (map[string]int, error) {
			return s.Names(ctx, "client", "http://"+service.Spec.ClusterIP, calls)
		}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Or(
			Equal(map[string]int{"one": calls}), Equal(map[string]int{"two": calls})))
	})
}
