package core

import (
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

var podDocs = map[string]string{
	"Ready":           "The aggregate readiness state of this pod for accepting traffic.",
	"Status":          "The aggregate status of the containers in this pod.",
	"Restarts":        "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
	"IP":              corev1.PodStatus{}.SwaggerDoc()["podIP"],
	"Node":            corev1.PodSpec{}.SwaggerDoc()["nodeName"],
	"Nominated Node":  corev1.PodStatus{}.SwaggerDoc()["nominatedNodeName"],
	"Readiness Gates": corev1.PodSpec{}.SwaggerDoc()["readinessGates"],
}

func podCells(p *corev1.Pod, now time.Time) []any {
	s := summarise(p)
	restarts := strconv.Itoa(s.restarts)
	if s.restarts != 0 && !s.lastRestart.IsZero() {
		restarts = fmt.Sprintf("%d (%s ago)", s.restarts, duration.HumanDuration(now.Sub(s.lastRestart.Time)))
	}
	ip := p.Status.PodIP
	if len(p.Status.PodIPs) > 0 {
		ip = p.Status.PodIPs[0].IP
	}
	return []any{
		p.Name, fmt.Sprintf("%d/%d", s.ready, s.total), s.reason, restarts, kind.Age(p, now),
		orNone(ip), orNone(p.Spec.NodeName), orNone(p.Status.NominatedNodeName), readinessGates(p),
	}
}

// podSummary is what the columns say of a pod's containers.
type podSummary struct {
	reason                 string
	ready, total, restarts int
	lastRestart            metav1.Time
}

func summarise(p *corev1.Pod) podSummary {
	s := podSummary{reason: string(p.Status.Phase), total: len(p.Spec.Containers)}
	if p.Status.Reason != "" {
		s.reason = p.Status.Reason
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonSchedulingGated {
			s.reason = corev1.PodReasonSchedulingGated
		}
	}
	if initializing := s.initContainers(p); !initializing || conditionTrue(p, corev1.PodInitialized) {
		s.mainContainers(p)
	}
	if p.DeletionTimestamp != nil {
		switch {
		case p.Status.Reason == "NodeLost":
			s.reason = "Unknown"
		case p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded:
			s.reason = "Terminating"
		}
	}
	return s
}

// initContainers reports whether the pod is still at them; sidecars count as containers.
func (s *podSummary) initContainers(p *corev1.Pod) bool {
	sidecar := map[string]bool{}
	for i := range p.Spec.InitContainers {
		c := &p.Spec.InitContainers[i]
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			sidecar[c.Name] = true
			s.total++
		}
	}
	busy, sidecarRestarts := false, 0
	var sidecarRestart metav1.Time
	for i := range p.Status.InitContainerStatuses {
		c := &p.Status.InitContainerStatuses[i]
		s.restarts += int(c.RestartCount)
		s.restartedAt(c)
		if sidecar[c.Name] {
			sidecarRestarts += int(c.RestartCount)
			if t := c.LastTerminationState.Terminated; t != nil && sidecarRestart.Before(&t.FinishedAt) {
				sidecarRestart = t.FinishedAt
			}
		}
		switch {
		case busy:
		case c.State.Terminated != nil && c.State.Terminated.ExitCode == 0:
		case sidecar[c.Name] && c.Started != nil && *c.Started:
			if c.Ready {
				s.ready++
			}
		default:
			busy = true
			s.reason = initReason(c, i, len(p.Spec.InitContainers))
		}
		if busy {
			break
		}
	}
	if !busy || conditionTrue(p, corev1.PodInitialized) {
		s.restarts, s.lastRestart = sidecarRestarts, sidecarRestart
	}
	return busy
}

func initReason(c *corev1.ContainerStatus, i, total int) string {
	switch {
	case c.State.Terminated != nil:
		return "Init:" + terminatedReason(c.State.Terminated)
	case c.State.Waiting != nil && c.State.Waiting.Reason != "" && c.State.Waiting.Reason != "PodInitializing":
		return "Init:" + c.State.Waiting.Reason
	}
	return fmt.Sprintf("Init:%d/%d", i, total)
}

func (s *podSummary) mainContainers(p *corev1.Pod) {
	running := false
	for i := len(p.Status.ContainerStatuses) - 1; i >= 0; i-- {
		c := &p.Status.ContainerStatuses[i]
		s.restarts += int(c.RestartCount)
		s.restartedAt(c)
		switch {
		case c.State.Waiting != nil && c.State.Waiting.Reason != "":
			s.reason = c.State.Waiting.Reason
		case c.State.Terminated != nil:
			s.reason = terminatedReason(c.State.Terminated)
		case c.Ready && c.State.Running != nil:
			running = true
			s.ready++
		}
	}
	if s.reason == "Completed" && running {
		s.reason = "NotReady"
		if conditionTrue(p, corev1.PodReady) {
			s.reason = "Running"
		}
	}
}

func (s *podSummary) restartedAt(c *corev1.ContainerStatus) {
	if t := c.LastTerminationState.Terminated; t != nil && s.lastRestart.Before(&t.FinishedAt) {
		s.lastRestart = t.FinishedAt
	}
}

func terminatedReason(t *corev1.ContainerStateTerminated) string {
	switch {
	case t.Reason != "":
		return t.Reason
	case t.Signal != 0:
		return fmt.Sprintf("Signal:%d", t.Signal)
	}
	return fmt.Sprintf("ExitCode:%d", t.ExitCode)
}

func readinessGates(p *corev1.Pod) string {
	if len(p.Spec.ReadinessGates) == 0 {
		return none
	}
	met := 0
	for _, gate := range p.Spec.ReadinessGates {
		if conditionTrue(p, gate.ConditionType) {
			met++
		}
	}
	return fmt.Sprintf("%d/%d", met, len(p.Spec.ReadinessGates))
}

func conditionTrue(p *corev1.Pod, wanted corev1.PodConditionType) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == wanted {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// none is how tables show that there is nothing.
const none = "<none>"

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}
