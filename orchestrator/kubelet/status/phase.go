package status

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// tally counts containers by what their statuses say.
type tally struct{ waiting, running, stopped, failed, unknown int }

func (t *tally) add(s corev1.ContainerStatus) {
	switch {
	case s.State.Running != nil:
		t.running++
	case s.State.Terminated != nil:
		t.end(s.State.Terminated)
	case s.State.Waiting != nil && s.LastTerminationState.Terminated != nil:
		t.end(s.LastTerminationState.Terminated) // it waits to be restarted
	case s.State.Waiting != nil:
		t.waiting++
	default:
		t.unknown++
	}
}

func (t *tally) end(s *corev1.ContainerStateTerminated) {
	t.stopped++
	if s.ExitCode != 0 {
		t.failed++
	}
}

// Phase of a pod by the statuses of its containers, the rule of "Pod Lifecycle". done says that no container will be started again.
func Phase(pod *corev1.Pod, s *corev1.PodStatus, done bool) corev1.PodPhase {
	if phase, pending := initPhase(pod, s); pending {
		return phase
	}
	var t tally
	for _, c := range s.ContainerStatuses {
		t.add(c)
	}
	missing := len(pod.Spec.Containers) - len(s.ContainerStatuses)
	switch {
	case done && t.failed > 0:
		return corev1.PodFailed
	case done && t.waiting+t.unknown+missing == 0 && t.running == 0:
		return corev1.PodSucceeded
	case done && t.running == 0:
		return corev1.PodFailed // some never started and will not
	case t.waiting > 0 || missing > 0:
		return corev1.PodPending
	case t.running > 0 || t.stopped > 0:
		return corev1.PodRunning
	}
	return corev1.PodPending
}

// initPhase answers while init containers are not over.
func initPhase(pod *corev1.Pod, s *corev1.PodStatus) (corev1.PodPhase, bool) {
	byName := map[string]corev1.ContainerStatus{}
	for _, c := range s.InitContainerStatuses {
		byName[c.Name] = c
	}
	begun := false
	for _, c := range s.ContainerStatuses {
		begun = begun || c.State.Running != nil || c.State.Terminated != nil || c.LastTerminationState.Terminated != nil
	}
	for _, m := range podinfo.Members(pod) {
		c := byName[m.Container.Name]
		switch m.Sort {
		case podinfo.Sidecar:
			if !begun && (c.Started == nil || !*c.Started) {
				return corev1.PodPending, true
			}
		case podinfo.Init:
			ended := c.State.Terminated
			if ended == nil && begun {
				continue // its container was removed long ago
			}
			if ended == nil || ended.ExitCode != 0 {
				if ended != nil && pod.Spec.RestartPolicy == corev1.RestartPolicyNever {
					return corev1.PodFailed, true
				}
				return corev1.PodPending, true
			}
		}
	}
	return "", false
}
