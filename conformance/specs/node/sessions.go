package node

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareSessions() {
	// A WebSocket begins with a GET, SPDY with a POST: what a right means must not depend on it.
	It("opens sessions over WebSocket to those who may create them, and not to those who may only get them", Label("NODE-025"), func(ctx SpecContext) {
		s := scene.New(ctx)
		pod := podOf(s, "pair", s.EchoSpec().Containers[0], corev1.Container{Name: "tty", Image: s.Image("tty"), Stdin: true})
		s.Run(ctx, pod)
		rights := func(verbs ...string) []rbacv1.PolicyRule {
			return []rbacv1.PolicyRule{
				{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get"}},
				{APIGroups: []string{""}, Resources: []string{"pods/exec", "pods/attach", "pods/portforward"}, Verbs: verbs},
			}
		}
		maker, reader := s.As(ctx, "maker", rights("get", "create")...), s.As(ctx, "reader", rights("get")...)
		for _, who := range []*scene.Scene{maker, reader} {
			Eventually(ctx, func(ctx context.Context) error {
				_, err := who.API.CoreV1().Pods(s.Namespace).Get(ctx, "pair", metav1.GetOptions{})
				return err
			}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Succeed(), "the role takes effect")
		}
		for _, by := range scene.Protocols() {
			// Each session is a connection of its own, maybe to another apiserver than the one that knew the role.
			Eventually(ctx, func(ctx context.Context) (string, error) {
				out, _, err := execute(ctx, maker, by, "echo", "piped through", "/cat")
				return out, err
			}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Equal("piped through"), "exec by %s", by)
			scoped, cancel := context.WithCancel(ctx)
			ports, err := maker.Forward(scoped, by, "pair", scene.EchoPort)
			Expect(err).NotTo(HaveOccurred(), "port-forward by %s", by)
			Expect(post(ctx, ports[0], "/healthz", "")).To(Equal("ok"), "port-forward by %s", by)
			cancel()

			refused := MatchError(ContainSubstring("forbidden"))
			_, _, err = execute(ctx, reader, by, "echo", "", "/cat")
			Expect(err).To(refused, "exec by %s of who may not create it", by)
			err = reader.Stream(ctx, by, "pair", "attach", &corev1.PodAttachOptions{Container: "tty", Stdout: true}, remotecommand.StreamOptions{Stdout: GinkgoWriter})
			Expect(err).To(refused, "attach by %s of who may not create it", by)
			_, err = reader.Forward(ctx, by, "pair", scene.EchoPort)
			Expect(err).To(refused, "port-forward by %s of who may not create it", by)
		}
	})
}
