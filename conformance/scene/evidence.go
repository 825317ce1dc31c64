package scene

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// keepEvidence records the namespace's objects and events when the spec failed: pods a line each and whole, the others whole.
func (s *Scene) keepEvidence(ctx context.Context) {
	if !ginkgo.CurrentSpecReport().Failed() {
		return
	}
	Record(verdict.Objects, "%s", s.pods(ctx, line))
	Record(verdict.Events, "%s", s.describeEvents(ctx))
	Record("pods", "%s", s.pods(ctx, whole))
	Record("others", "%s", s.others(ctx))
}

// keepImages records which images ran in the namespace's pods, as far as the API still tells.
func (s *Scene) keepImages(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, budget.Call.Limit())
	defer cancel()
	pods, err := s.API.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	seen := map[verdict.Image]bool{}
	for _, pod := range pods.Items {
		for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses) {
			_, digest, _ := strings.Cut(c.ImageID, "@")
			image := verdict.Image{Name: c.Image, Digest: digest}
			if digest != "" && !seen[image] {
				seen[image] = true
				entry(image)
			}
		}
	}
}

func (s *Scene) pods(ctx context.Context, describe func(*corev1.Pod) string) string {
	pods, err := s.API.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	for i := range pods.Items {
		text.WriteString(describe(&pods.Items[i]))
	}
	return text.String()
}

// whole is an object as YAML.
func whole(pod *corev1.Pod) string {
	pod.ManagedFields = nil
	return document(pod.Name, pod)
}

func document(name string, object any) string {
	out, err := yaml.Marshal(object)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("--- %s\n%s", name, out)
}

// line is "web Running on worker, Ready False: echo waits (CrashLoopBackOff), 3 restarts".
func line(pod *corev1.Pod) string {
	text := fmt.Sprintf("pod %s %s on %q, Ready %s", pod.Name, pod.Status.Phase, pod.Spec.NodeName, Condition(pod, corev1.PodReady).Status)
	if pod.DeletionTimestamp != nil {
		text += ", being deleted"
	}
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses) {
		text += fmt.Sprintf("; %s %s, %d restarts", c.Name, state(c.State), c.RestartCount)
	}
	return text + "\n"
}

func state(s corev1.ContainerState) string {
	switch {
	case s.Running != nil:
		return "runs"
	case s.Terminated != nil:
		return fmt.Sprintf("ended with %d (%s)", s.Terminated.ExitCode, s.Terminated.Reason)
	case s.Waiting != nil:
		return "waits (" + s.Waiting.Reason + ")"
	}
	return "unknown"
}

// others are the objects that specs use besides pods.
func (s *Scene) others(ctx context.Context) string {
	var text strings.Builder
	add := func(kind string, list any, err error) {
		if err != nil {
			list = err.Error()
		}
		text.WriteString(document(kind, list))
	}
	all := metav1.ListOptions{}
	deployments, err := s.API.AppsV1().Deployments(s.Namespace).List(ctx, all)
	add("deployments", deployments, err)
	sets, err := s.API.AppsV1().ReplicaSets(s.Namespace).List(ctx, all)
	add("replicasets", sets, err)
	daemons, err := s.API.AppsV1().DaemonSets(s.Namespace).List(ctx, all)
	add("daemonsets", daemons, err)
	services, err := s.API.CoreV1().Services(s.Namespace).List(ctx, all)
	add("services", services, err)
	slices, err := s.API.DiscoveryV1().EndpointSlices(s.Namespace).List(ctx, all)
	add("endpointslices", slices, err)
	return text.String()
}

func (s *Scene) describeEvents(ctx context.Context) string {
	events, err := s.API.CoreV1().Events(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	slices.SortStableFunc(events.Items, func(a, b corev1.Event) int { return at(a).Compare(at(b).Time) })
	var text strings.Builder
	for _, e := range events.Items {
		fmt.Fprintf(&text, "%s %s %s/%s %s: %s\n", at(e).Format("15:04:05"), e.Type, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message)
	}
	return text.String()
}

// at is when an event was last seen: writers of the newer kind set only its first time.
func at(e corev1.Event) metav1.Time {
	if e.LastTimestamp.IsZero() {
		return metav1.NewTime(e.EventTime.Time)
	}
	return e.LastTimestamp
}
