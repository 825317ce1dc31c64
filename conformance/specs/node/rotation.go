package node

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// largestLog is how large a log a spec will write, in bytes, to see it rotated; stock rotates at 10 MiB.
const largestLog = 20 << 20

// recordBesides is how many bytes a line has in a log besides what pads it, at most: the time, the stream, the tag, "none: " and its number. The log
// is filled almost to its size, and the rest written little by little: the runtime goes on to the new file in the midst of what it writes, and stock's
// reader may miss lines there when they come in a flood.
const recordBesides = 70

func declareRotation() {
	It("rotates a log that grows too large, of which whoever follows it misses nothing", Label("NODE-028"), func(ctx SpecContext) {
		s := scene.New(ctx)
		node := s.Workers(ctx, 1)[0]
		size, err := resource.ParseQuantity(s.Kubelet(ctx, node).ContainerLogMaxSize)
		if err != nil || size.Value() > largestLog {
			scene.Inconclusive("the kubelet of %s rotates logs of %q", node, s.Kubelet(ctx, node).ContainerLogMaxSize)
		}
		pod := podOf(s, "talker", corev1.Container{Name: "tty", Image: s.Image("tty"), Stdin: true})
		pod.Spec.NodeName, pod.Spec.RestartPolicy = node, corev1.RestartPolicyNever
		s.Run(ctx, pod)
		lines := followLines(ctx, s, "talker", "tty")
		in, keyboard := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			err := s.Stream(ctx, scene.WebSocket, "talker", "attach", &corev1.PodAttachOptions{Container: "tty", Stdin: true}, remotecommand.StreamOptions{Stdin: in})
			in.CloseWithError(fmt.Errorf("nobody reads what is typed: attach ended: %w", cmp.Or(err, io.ErrClosedPipe)))
			ended <- err
		}()
		written, pad := 0, strings.Repeat("x", 1000)
		say := func() error {
			_, err := fmt.Fprintf(keyboard, "%08d %s\n", written, pad)
			written++
			return err
		}
		for written < int(size.Value())*97/100/(len(pad)+recordBesides) {
			Expect(say()).To(Succeed(), "line %d", written)
		}
		beginning := int64(len("tty none"))
		Eventually(ctx, func(ctx context.Context) (string, error) {
			for range 20 { // also while it is rotated
				if err := say(); err != nil {
					return "", err
				}
			}
			return s.Logs(ctx, "talker", corev1.PodLogOptions{LimitBytes: &beginning})
		}).WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).ShouldNot(Equal("tty none"), "the log still has its first line")
		for range 10 {
			Expect(say()).To(Succeed())
		}
		_, err = fmt.Fprintln(keyboard, "exit 0")
		Expect(err).NotTo(HaveOccurred())
		Expect(keyboard.Close()).To(Succeed())
		Eventually(ctx, ended).WithTimeout(budget.Converge.Limit()).Should(Receive(), "the attached stream did not end with its process and its input")
		followed := lines()
		Expect(followed).NotTo(BeEmpty())
		Expect(followed[0]).To(Equal("tty none"))
		for n, line := range followed[1:] {
			Expect(line).To(Equal(fmt.Sprintf("none: %08d %s", n, pad)), "line %d of what was followed", n)
		}
		Expect(followed).To(HaveLen(written+1), "lines of what was followed")
	})
}
