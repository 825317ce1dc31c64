package routing

import (
	"context"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareEndpoints() {
	It("sends nothing to a pod that is not Ready, and again once it is", Label("ROUTE-007"), func(ctx SpecContext) {
		s := scene.New(ctx)
		service := s.Expose(ctx, "web")
		s.Run(ctx, s.Echo("client", nil))
		s.Run(ctx, s.Echo("one", scene.App("web")))
		s.Run(ctx, s.Echo("two", scene.App("web")))
		base := "http://" + service.Spec.ClusterIP
		answeredBy(ctx, s, "client", base, "one", "two")
		tell := func(path string) {
			_, err := s.API.CoreV1().Pods(s.Namespace).ProxyGet("http", "two", strconv.Itoa(scene.EchoPort), path, nil).DoRaw(ctx)
			Expect(err).NotTo(HaveOccurred())
		}
		tell("fail")
		answeredBy(ctx, s, "client", base, "one")
		tell("recover")
		answeredBy(ctx, s, "client", base, "one", "two")
	})

	It("follows pods that come and go", Label("ROUTE-008"), func(ctx SpecContext) {
		s := scene.New(ctx)
		service := s.Expose(ctx, "web")
		s.Run(ctx, s.Echo("client", nil))
		s.Run(ctx, s.Echo("one", scene.App("web")))
		base := "http://" + service.Spec.ClusterIP
		answeredBy(ctx, s, "client", base, "one")
		s.Run(ctx, s.Echo("two", scene.App("web")))
		answeredBy(ctx, s, "client", base, "one", "two")
		Expect(s.API.CoreV1().Pods(s.Namespace).Delete(ctx, "one", metav1.DeleteOptions{})).To(Succeed())
		answeredBy(ctx, s, "client", base, "two")
	})

	It("refuses connections to a Service without pods at once", Label("ROUTE-009"), func(ctx SpecContext) {
		s := scene.New(ctx)
		service := s.Expose(ctx, "none")
		s.Run(ctx, s.Echo("client", nil))
		s.Run(ctx, s.Echo("other", scene.App("other")))
		Eventually(ctx, func(ctx context.Context) (string, error) {
			d, err := s.Dial(ctx, "client", "http://"+service.Spec.ClusterIP)
			return d.Error, err
		}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(ContainSubstring("refused"))
	})
}
