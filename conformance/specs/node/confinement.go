package node

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareConfinement() {
	It("runs containers with the user, groups, capabilities and root file system of their security context", Label("NODE-013"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Run(ctx, podOf(s, "free", s.EchoSpec().Containers[0]))
		s.Run(ctx, confined(s, "confined"))
		free, inside := process(ctx, s, "free"), process(ctx, s, "confined")
		Expect(free).To(And(HaveKeyWithValue("Uid", "0 0 0 0"), HaveKeyWithValue("NoNewPrivs", "0"), Not(HaveKeyWithValue("CapEff", none))))
		Expect(inside).To(And(
			HaveKeyWithValue("Uid", "1234 1234 1234 1234"), HaveKeyWithValue("Gid", "2345 2345 2345 2345"), HaveKeyWithValue("Groups", "2345 3456 4567"),
			HaveKeyWithValue("CapEff", none), HaveKeyWithValue("CapBnd", none), HaveKeyWithValue("NoNewPrivs", "1"), HaveKeyWithValue("Seccomp", "2"),
		))
		Expect(s.WriteFile(ctx, "free", scene.EchoPort, "/tmp/word", "hello")).To(Succeed())
		Expect(s.WriteFile(ctx, "confined", scene.EchoPort, "/tmp/word", "hello")).To(MatchError(ContainSubstring("read-only file system")))
		Expect(s.WriteFile(ctx, "confined", scene.EchoPort, "/shared/word", "hello")).To(Succeed(), "a volume is not part of the root file system")

		root := s.Echo("root", nil)
		yes := true
		root.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: &yes}
		s.Create(ctx, root)
		refused := s.WaitWaiting(ctx, "root", "echo", "CreateContainerConfigError")
		Expect(scene.Status(refused, "echo").State.Waiting.Message).NotTo(BeEmpty(), "why it was not created")
		Expect(scene.Status(refused, "echo").ContainerID).To(BeEmpty(), "a container of root was created")
	})
}

// none is the empty set of capabilities.
const none = "0000000000000000"

func confined(s *scene.Scene, name string) *corev1.Pod {
	user, group, files, yes, no := int64(1234), int64(2345), int64(3456), true, false
	pod := podOf(s, name, s.EchoSpec().Containers[0])
	pod.Spec.SecurityContext = &corev1.PodSecurityContext{
		RunAsUser: &user, RunAsGroup: &group, FSGroup: &files, SupplementalGroups: []int64{4567}, RunAsNonRoot: &yes,
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	pod.Spec.Containers[0].VolumeMounts = shared()
	pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{
		ReadOnlyRootFilesystem: &yes, AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
	return pod
}

// process is what the kernel says of the echo fixture's process, each value's words a space apart.
func process(ctx context.Context, s *scene.Scene, pod string) map[string]string {
	GinkgoHelper()
	text, err := s.ReadFile(ctx, pod, scene.EchoPort, "/proc/self/status")
	Expect(err).NotTo(HaveOccurred())
	values := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		values[name] = strings.Join(strings.Fields(value), " ")
	}
	return values
}
