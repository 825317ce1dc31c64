package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareStreams() {
	It("runs commands in a container with their input, outputs, terminal and exit code", Label("NODE-017"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Run(ctx, podOf(s, "pair", s.EchoSpec().Containers[0], second(s, "other")))
		for _, by := range scene.Protocols() {
			for _, container := range []string{"echo", "other"} {
				out, _, err := execute(ctx, s, by, container, "piped through", "/cat")
				Expect(err).NotTo(HaveOccurred(), "by %s", by)
				Expect(out).To(Equal("piped through"), "by %s", by)
			}
			_, errors, err := execute(ctx, s, by, "echo", "", "/cat", "/none")
			Expect(errors).To(ContainSubstring("no such file"), "standard error by %s", by)
			Expect(exitCode(err)).To(Equal(1), "by %s: %v", by, err)
			out, _, err := execute(ctx, s, by, "other", "hello\nexit 42\n", "/tty")
			Expect(out).To(Equal("tty none\nnone: hello\n"), "by %s", by)
			Expect(exitCode(err)).To(Equal(42), "by %s: %v", by, err)
			err = converse(ctx, func(streams remotecommand.StreamOptions) error {
				streams.Tty, streams.TerminalSizeQueue = true, &sizes{{Width: 100, Height: 30}}
				return s.Stream(ctx, by, "pair", "exec", &corev1.PodExecOptions{Container: "echo", Command: []string{"/tty"}, Stdin: true, Stdout: true, TTY: true}, streams)
			}, "hello", "100x30: hello", "exit 7")
			Expect(exitCode(err)).To(Equal(7), "by %s: %v", by, err)
		}
	})

	It("attaches to the running process of a container", Label("NODE-018"), func(ctx SpecContext) {
		s := scene.New(ctx)
		for _, by := range scene.Protocols() {
			name := strings.ToLower(string(by))
			pod := podOf(s, name, corev1.Container{Name: "tty", Image: s.Image("tty"), Stdin: true})
			pod.Spec.RestartPolicy = corev1.RestartPolicyNever
			s.Run(ctx, pod)
			err := converse(ctx, func(streams remotecommand.StreamOptions) error {
				return s.Stream(ctx, by, name, "attach", &corev1.PodAttachOptions{Container: "tty", Stdin: true, Stdout: true}, streams)
			}, "typed by "+name, "none: typed by "+name, "exit 5")
			Expect(err).NotTo(HaveOccurred(), "by %s", by)
			ended := s.WaitPhase(ctx, name, corev1.PodFailed)
			Expect(scene.Status(ended, "tty").State.Terminated).To(HaveField("ExitCode", BeEquivalentTo(5)))
		}
	})

	It("forwards ports of a pod", Label("NODE-019"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Run(ctx, podOf(s, "pair", s.EchoSpec().Containers[0], second(s, "other")))
		tell(ctx, s, "pair", secondPort, "/fail")
		for _, by := range scene.Protocols() {
			scoped, cancel := context.WithCancel(ctx)
			ports, err := s.Forward(scoped, by, "pair", scene.EchoPort, secondPort)
			Expect(err).NotTo(HaveOccurred(), "by %s", by)
			large := strings.Repeat("0123456789abcdef", 1<<14)
			for range 3 {
				Expect(post(ctx, ports[0], "/", large)).To(And(ContainSubstring(`"hostname":"pair"`), ContainSubstring(large)), "by %s", by)
			}
			Expect(post(ctx, ports[0], "/healthz", "")).To(Equal("ok"), "by %s", by)
			Expect(post(ctx, ports[1], "/healthz", "")).To(ContainSubstring("sick"), "the second port by %s", by)
			cancel()
		}
	})
}

// execute runs a command in a container of the pod "pair", all of its input given at once, and returns its two outputs.
func execute(ctx context.Context, s *scene.Scene, by scene.Protocol, container, input string, command ...string) (string, string, error) {
	var out, errors bytes.Buffer
	options := &corev1.PodExecOptions{Container: container, Command: command, Stdin: true, Stdout: true, Stderr: true}
	err := s.Stream(ctx, by, "pair", "exec", options, remotecommand.StreamOptions{Stdin: strings.NewReader(input), Stdout: &out, Stderr: &errors})
	return out.String(), errors.String(), err
}

// converse types a line until it is answered as it should be, then the last word, and returns how the stream ended. A runtime may drop what a process
// wrote just before it ended, so each answer is read while the process runs.
func converse(ctx context.Context, stream func(remotecommand.StreamOptions) error, line, answer, last string) error {
	GinkgoHelper()
	in, keyboard := io.Pipe()
	screen, ended := gbytes.NewBuffer(), make(chan error, 1)
	go func() {
		err := stream(remotecommand.StreamOptions{Stdin: in, Stdout: screen})
		keyboard.Close()
		ended <- err
	}()
	Eventually(ctx, func() (string, error) {
		_, err := fmt.Fprintln(keyboard, line)
		return string(screen.Contents()), err
	}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(ContainSubstring(answer))
	_, err := fmt.Fprintln(keyboard, last)
	Expect(err).NotTo(HaveOccurred())
	Eventually(ctx, ended).WithTimeout(budget.Converge.Limit()).Should(Receive(&err), "the stream did not end with its process")
	return err
}

// sizes of a terminal, one after another.
type sizes []remotecommand.TerminalSize

func (s *sizes) Next() *remotecommand.TerminalSize {
	if len(*s) == 0 {
		return nil
	}
	next := (*s)[0]
	*s = (*s)[1:]
	return &next
}

// exitCode of a command; -1 when the error tells none.
func exitCode(err error) int {
	var code exec.CodeExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return code.Code
	}
	return -1
}

// post sends a body to a forwarded port and returns the answer's.
func post(ctx context.Context, port uint16, path, body string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d%s", port, path), strings.NewReader(body))
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return string(answer), err
}
