package node

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareLogs() {
	It("gives a container's log whole, its end, what came since, as it comes, and that of the run before", Label("NODE-016"), func(ctx SpecContext) {
		s := scene.New(ctx)
		pod := podOf(s, "pair", s.EchoSpec().Containers[0], second(s, "other"))
		s.Run(ctx, pod)
		say := func(n int) { tell(ctx, s, "pair", scene.EchoPort, fmt.Sprintf("/say?text=line-%d", n)) }
		log := func(options corev1.PodLogOptions) func(context.Context) (string, error) {
			options.Container = "echo"
			return func(ctx context.Context) (string, error) { return s.Logs(ctx, "pair", options) }
		}
		shows := func(options corev1.PodLogOptions, want string) {
			GinkgoHelper()
			Eventually(ctx, log(options)).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Equal(want))
		}
		one, bytes := int64(1), int64(9)
		say(1)
		say(2)
		tell(ctx, s, "pair", secondPort, "/say?text=else")
		shows(corev1.PodLogOptions{}, "line-1\nline-2\n")
		shows(corev1.PodLogOptions{TailLines: &one}, "line-2\n")
		shows(corev1.PodLogOptions{LimitBytes: &bytes}, "line-1\nli")
		stamped, err := log(corev1.PodLogOptions{Timestamps: true})(ctx)
		Expect(err).NotTo(HaveOccurred())
		last := strings.Fields(stamped)[2]
		at, err := time.Parse(time.RFC3339Nano, last)
		Expect(err).NotTo(HaveOccurred(), "the second line's time in %q", stamped)
		// A time in a query has whole seconds: what came in later ones is asked for.
		since := metav1.NewTime(at.Truncate(time.Second).Add(time.Second))
		Eventually(ctx, time.Now).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(BeTemporally(">", since.Time))
		lines := followLines(ctx, s, "pair", "echo")
		say(3)
		shows(corev1.PodLogOptions{SinceTime: &since}, "line-3\n")
		_, err = s.Ask(ctx, "pair", scene.EchoPort, "/exit?code=1")
		Expect(err).To(HaveOccurred())
		Expect(lines()).To(Equal([]string{"line-1", "line-2", "line-3"}), "what was followed, to the end of the run")
		s.WaitRestarted(ctx, "pair", "echo", 1)
		shows(corev1.PodLogOptions{Previous: true}, "line-1\nline-2\nline-3\n")
		shows(corev1.PodLogOptions{}, "")
	})
}
