package scene

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// Ask sends a GET to the echo fixture in a pod, through the apiserver: path may carry a query.
func (s *Scene) Ask(ctx context.Context, pod string, port int, path string) (string, error) {
	request := s.API.CoreV1().RESTClient().Get().Namespace(s.Namespace).Resource("pods").SubResource("proxy").Name(pod + ":" + strconv.Itoa(port))
	body, err := within(request, path).DoRaw(ctx)
	return string(body), err
}

// ReadFile has the echo fixture in a pod read a file of its container.
func (s *Scene) ReadFile(ctx context.Context, pod string, port int, file string) (string, error) {
	return s.Ask(ctx, pod, port, "/file?path="+file)
}

// WriteFile has the echo fixture in a pod write a file of its container. Its answer says what went wrong.
func (s *Scene) WriteFile(ctx context.Context, pod string, port int, file, content string) error {
	return s.alterFile(ctx, s.API.CoreV1().RESTClient().Put().Body([]byte(content)), pod, port, file)
}

// RemoveFile has it remove a file.
func (s *Scene) RemoveFile(ctx context.Context, pod string, port int, file string) error {
	return s.alterFile(ctx, s.API.CoreV1().RESTClient().Delete(), pod, port, file)
}

func (s *Scene) alterFile(ctx context.Context, request *rest.Request, pod string, port int, file string) error {
	request = request.Namespace(s.Namespace).Resource("pods").SubResource("proxy").Name(pod + ":" + strconv.Itoa(port))
	body, err := within(request, "/file?path="+file).DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("%w: %s", err, body)
	}
	return nil
}

type withPath[R any] interface {
	Suffix(segments ...string) R
	Param(name, value string) R
}

func within[R withPath[R]](request R, path string) R {
	path, query, _ := strings.Cut(path, "?")
	request = request.Suffix(path)
	if name, value, found := strings.Cut(query, "="); found {
		request = request.Param(name, value)
	}
	return request
}

// Status is a container's status by its name, init containers included; its zero value when there is none yet.
func Status(pod *corev1.Pod, container string) corev1.ContainerStatus {
	for _, c := range slices.Concat(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses, pod.Status.EphemeralContainerStatuses) {
		if c.Name == container {
			return c
		}
	}
	return corev1.ContainerStatus{}
}

// WaitPhase returns the pod once it is in a phase.
func (s *Scene) WaitPhase(ctx context.Context, name string, phase corev1.PodPhase) *corev1.Pod {
	ginkgo.GinkgoHelper()
	var pod *corev1.Pod
	gomega.Eventually(ctx, func(ctx context.Context) corev1.PodPhase {
		pod = s.Pod(ctx, name)
		return pod.Status.Phase
	}).WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(gomega.Equal(phase), "phase of pod %s", name)
	return pod
}

// WaitWaiting returns the pod once a container of it waits for one of the reasons.
func (s *Scene) WaitWaiting(ctx context.Context, name, container string, reasons ...string) *corev1.Pod {
	ginkgo.GinkgoHelper()
	var pod *corev1.Pod
	gomega.Eventually(ctx, func(ctx context.Context) string {
		pod = s.Pod(ctx, name)
		if waiting := Status(pod, container).State.Waiting; waiting != nil {
			return waiting.Reason
		}
		return ""
	}).WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(gomega.BeElementOf(reasons), "why container %s of pod %s waits", container, name)
	return pod
}

// WaitRestarted returns the pod once a container has been restarted n times and is ready again.
func (s *Scene) WaitRestarted(ctx context.Context, name, container string, n int32) *corev1.Pod {
	ginkgo.GinkgoHelper()
	var pod *corev1.Pod
	gomega.Eventually(ctx, func(ctx context.Context) error {
		pod = s.Pod(ctx, name)
		if status := Status(pod, container); status.RestartCount != n || !status.Ready {
			return fmt.Errorf("container %s of pod %s: %d restarts, ready %t", container, name, status.RestartCount, status.Ready)
		}
		return nil
	}).WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(gomega.Succeed())
	return pod
}

// Logs are a container's logs as the apiserver gives them.
func (s *Scene) Logs(ctx context.Context, pod string, options corev1.PodLogOptions) (string, error) {
	body, err := s.API.CoreV1().Pods(s.Namespace).GetLogs(pod, &options).DoRaw(ctx)
	return string(body), err
}
