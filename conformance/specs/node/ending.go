package node

import (
	"bufio"
	"context"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
)

// grace is the grace period of the stubborn pod.
const grace = 4 * time.Second

func declareEnding() {
	It("ends a pod by its hook, then SIGTERM, and SIGKILL once the grace period is over", Label("NODE-010"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Run(ctx, ending(s, "polite", 30*time.Second, "--drain=1s"))
		s.Run(ctx, ending(s, "stubborn", grace, "--ignore-sigterm"))
		for _, row := range []struct {
			pod         string
			code        int32
			least, most time.Duration
		}{{"polite", 0, time.Second, 25 * time.Second}, {"stubborn", 137, grace - time.Second, 30 * time.Second}} {
			lines := followLines(ctx, s, row.pod, "echo")
			last := watchToEnd(ctx, s, row.pod)
			began := time.Now()
			s.Delete(ctx, row.pod)
			pod := last()
			took := time.Since(began)
			scene.Record("ended", "%s took %s", row.pod, took)
			Expect(took).To(And(BeNumerically(">=", row.least), BeNumerically("<", row.most)), "how long %s took to end", row.pod)
			Expect(scene.Status(pod, "echo").State.Terminated).To(HaveField("ExitCode", row.code), "how %s ended", row.pod)
			Expect(strings.Join(lines(), ", ")).To(HaveSuffix("hook, got terminated"), "what %s saw", row.pod)
		}
	})
}

// ending is a pod whose preStop hook writes to its log.
func ending(s *scene.Scene, name string, grace time.Duration, arg string) *corev1.Pod {
	pod := s.Echo(name, nil)
	seconds := int64(grace.Seconds())
	pod.Spec.TerminationGracePeriodSeconds = &seconds
	pod.Spec.Containers[0].Args = []string{arg}
	pod.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{HTTPGet: httpAt(scene.EchoPort, "/say?text=hook").HTTPGet}}
	return pod
}

// watchToEnd begins to watch a pod; the function that it returns waits for its deletion and gives the pod as it last was.
func watchToEnd(ctx context.Context, s *scene.Scene, name string) func() *corev1.Pod {
	GinkgoHelper()
	w, err := s.API.CoreV1().Pods(s.Namespace).Watch(ctx, metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", name).String()})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.Stop)
	return func() *corev1.Pod {
		GinkgoHelper()
		late := time.NewTimer(budget.PodStop.Limit())
		defer late.Stop()
		for {
			select {
			case event, open := <-w.ResultChan():
				Expect(open).To(BeTrue(), "the watch ended before pod %s was gone", name)
				if pod, ok := event.Object.(*corev1.Pod); ok && event.Type == watch.Deleted {
					return pod
				}
			case <-late.C:
				Fail("pod " + name + " is not gone")
			}
		}
	}
}

// followLines begins to follow a container's log; the function that it returns waits for the log's end and gives its lines.
func followLines(ctx context.Context, s *scene.Scene, pod, container string) func() []string {
	GinkgoHelper()
	stream, err := s.API.CoreV1().Pods(s.Namespace).GetLogs(pod, &corev1.PodLogOptions{Container: container, Follow: true}).Stream(ctx)
	Expect(err).NotTo(HaveOccurred(), "follow the log of %s in pod %s", container, pod)
	read := make(chan []string, 1)
	go func() {
		defer stream.Close()
		var lines []string
		for scanner := bufio.NewScanner(stream); scanner.Scan(); {
			lines = append(lines, scanner.Text())
		}
		read <- lines
	}()
	return func() (lines []string) {
		GinkgoHelper()
		Eventually(ctx, read).WithTimeout(budget.PodStop.Limit()).Should(Receive(&lines), "the followed log of %s in pod %s did not end with its container", container, pod)
		return lines
	}
}

// followEnds begins to follow the logs of containers that run note; the function that it returns gives them in the order in which they ended, by
// the times that the runtime put on their last lines.
func followEnds(ctx context.Context, s *scene.Scene, pod string, containers ...string) func() []string {
	GinkgoHelper()
	type end struct{ container, at string }
	ends := make(chan end, len(containers))
	for _, container := range containers {
		stream, err := s.API.CoreV1().Pods(s.Namespace).GetLogs(pod, &corev1.PodLogOptions{Container: container, Follow: true, Timestamps: true}).Stream(ctx)
		Expect(err).NotTo(HaveOccurred(), "follow the log of %s in pod %s", container, pod)
		go func() {
			defer stream.Close()
			last := end{container: container, at: "never"}
			for scanner := bufio.NewScanner(stream); scanner.Scan(); {
				if at, text, _ := strings.Cut(scanner.Text(), " "); text == container+" ended" {
					last.at = at
				}
			}
			ends <- last
		}()
	}
	return func() []string {
		GinkgoHelper()
		var all []end
		for range containers {
			var e end
			Eventually(ctx, ends).WithTimeout(budget.PodStop.Limit()).Should(Receive(&e), "a followed log did not end with its container")
			all = append(all, e)
		}
		slices.SortFunc(all, func(a, b end) int { return strings.Compare(a.at, b.at) })
		var names []string
		for _, e := range all {
			Expect(e.at).NotTo(Equal("never"), "container %s was not told to end", e.container)
			names = append(names, e.container)
		}
		return names
	}
}
