package node

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// hostPort is this spec's own: outside the node port range, and away from what nodes listen on.
const hostPort = 51872

func declareNames() {
	It("gives a pod the host name, hosts and resolver that it asks for", Label("NODE-021"), func(ctx SpecContext) {
		s := scene.New(ctx)
		named := s.Echo("named", nil)
		named.Spec.Hostname, named.Spec.Subdomain = "me", "group"
		named.Spec.HostAliases = []corev1.HostAlias{{IP: "192.0.2.7", Hostnames: []string{"seven", "sept"}}}
		named.Spec.DNSPolicy = corev1.DNSNone
		two := "2"
		named.Spec.DNSConfig = &corev1.PodDNSConfig{Nameservers: []string{"192.0.2.53"}, Searches: []string{"example.test"}, Options: []corev1.PodDNSConfigOption{{Name: "ndots", Value: &two}, {Name: "rotate"}}}
		plain := s.Run(ctx, s.Echo("plain", nil))
		run := s.Run(ctx, named)
		file(ctx, s, "named", scene.EchoPort, "/etc/hosts").Should(And(
			MatchRegexp(`(?m)^%s\s+me\.group\.%s\.svc\.\S+\s+me$`, run.Status.PodIP, s.Namespace), MatchRegexp(`(?m)^192\.0\.2\.7\s+seven\s+sept$`)))
		file(ctx, s, "named", scene.EchoPort, "/etc/resolv.conf").Should(
			MatchRegexp(`^search example\.test\nnameserver 192\.0\.2\.53\noptions (ndots:2 rotate|rotate ndots:2)\n$`), "options may stand in any order")
		file(ctx, s, "plain", scene.EchoPort, "/etc/hosts").Should(And(MatchRegexp(`(?m)^%s\s+plain$`, plain.Status.PodIP), Not(ContainSubstring("192.0.2.7"))))
		file(ctx, s, "plain", scene.EchoPort, "/etc/resolv.conf").Should(MatchRegexp(`(?m)^search %s\.svc\.\S+ svc\.\S+`, s.Namespace))
		name, err := s.Ask(ctx, "named", scene.EchoPort, "/hostname")
		Expect(err).NotTo(HaveOccurred())
		Expect(name).To(Equal("me"))
	})

	It("reaches a pod by a port of its host, on its node and on no other", Label("NODE-022"), func(ctx SpecContext) {
		s := scene.New(ctx)
		nodes := s.Workers(ctx, 2)
		served := s.Echo("served", nil)
		served.Spec.NodeName = nodes[0]
		served.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: scene.EchoPort, HostPort: hostPort}}
		run := s.Run(ctx, served)
		client := s.Echo("client", nil)
		client.Spec.NodeName = nodes[1]
		here := s.Run(ctx, client)
		answers := func(host string) func(SpecContext) (scene.Dialled, error) {
			return func(ctx SpecContext) (scene.Dialled, error) {
				return s.Dial(ctx, "client", fmt.Sprintf("http://%s:%d/hostname", host, hostPort))
			}
		}
		Eventually(ctx, answers(run.Status.HostIP)).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(HaveField("Body", "served"))
		Expect(answers(here.Status.HostIP)(ctx)).To(HaveField("Error", ContainSubstring("refused")))
		s.Delete(ctx, "served")
		waitGone(ctx, s, "served")
		Eventually(ctx, answers(run.Status.HostIP)).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(HaveField("Error", ContainSubstring("refused")), "the port outlived its pod")
	})

	It("starts an ephemeral container beside the running ones", Label("NODE-023"), func(ctx SpecContext) {
		s := scene.New(ctx)
		before := s.Run(ctx, s.Echo("debugged", nil))
		patch := fmt.Sprintf(`{"spec":{"ephemeralContainers":[{"name":"debugger","image":%q,"targetContainerName":"echo","args":["--listen=:8081"]}]}}`, s.Image("echo"))
		_, err := s.API.CoreV1().Pods(s.Namespace).Patch(ctx, "debugged", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "ephemeralcontainers")
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, func(ctx SpecContext) *corev1.ContainerStateRunning {
			return scene.Status(s.Pod(ctx, "debugged"), "debugger").State.Running
		}).WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).ShouldNot(BeNil())
		file(ctx, s, "debugged", secondPort, "/proc/1/cmdline").Should(And(HavePrefix("/echo\x00"), Not(ContainSubstring(":8081"))), "it sees the target's processes, not its own alone")
		Expect(scene.Status(s.Pod(ctx, "debugged"), "echo")).To(Equal(scene.Status(before, "echo")))
	})
}
