// Package status says what a pod's status is, from what was seen of it, and writes it to the API.
//
// compute is pure. The publisher owns the kubelet's fields of pod status and nobody else's: conditions of other owners pass through.
// Workers feed it; the API receives one patch per change.
package status

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// Waiting is why a container does not run.
type Waiting struct{ Reason, Message string }

// Seen is what a status is computed from.
type Seen struct {
	Pod     *corev1.Pod
	Runtime *runtime.Pod
	// Waiting by container name.
	Waiting map[string]Waiting
	// Started and Ready answer for running containers.
	Started func(m podinfo.Member, c *runtime.Container) bool
	Ready   func(m podinfo.Member, c *runtime.Container) bool
	// Done says that no container will be started again.
	Done bool
	// Stopping says that the pod is being ended.
	Stopping bool
	// SandboxUsable says that the pod has its network.
	SandboxUsable bool
	HostIPs       []string
	// Verdict overrides phase, reason and message: the kubelet itself ended or refused the pod.
	Verdict *Verdict
	Now     metav1.Time
	// Resize are the conditions of a resize that waits or is under way.
	Resize []corev1.PodCondition
	// Actuated are the resources that running containers were given, by ID.
	Actuated map[string]corev1.ResourceRequirements
}

// Verdict of the kubelet over a pod.
type Verdict struct {
	Reason, Message string
	// Disruption says that the pod did nothing wrong: its place was needed.
	Disruption bool
}

func containerStatuses(s Seen, want func(podinfo.Sort) bool) []corev1.ContainerStatus {
	var all []corev1.ContainerStatus
	for _, m := range podinfo.Members(s.Pod) {
		if want(m.Sort) {
			all = append(all, containerStatus(s, m))
		}
	}
	return all
}

func containerStatus(s Seen, m podinfo.Member) corev1.ContainerStatus {
	old := oldStatus(s.Pod, m)
	status := corev1.ContainerStatus{Name: m.Container.Name, Image: m.Container.Image}
	started := false
	latest := s.Runtime.Latest(m.Container.Name)
	waiting, isWaiting := s.Waiting[m.Container.Name]
	if latest == nil {
		unseen(s, m, old, &status, waiting, isWaiting)
		if m.Sort != podinfo.Ephemeral {
			status.Started = &started
		}
		return status
	}
	describe(&status, latest, m)
	if given, ok := s.Actuated[latest.ID]; ok && m.Sort != podinfo.Ephemeral {
		status.Resources = given.DeepCopy()
		status.Resources.Claims = nil
	}
	if previous := s.Runtime.Previous(m.Container.Name); previous != nil && previous.State == runtime.Exited {
		status.LastTerminationState.Terminated = terminated(previous)
	} else if old != nil && old.RestartCount == status.RestartCount && old.RestartCount > 0 {
		status.LastTerminationState = old.LastTerminationState
	}
	switch latest.State {
	case runtime.Running:
		status.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(latest.Started)}
		started = s.Started(m, latest)
		status.Ready = started && m.Sort != podinfo.Init && m.Sort != podinfo.Ephemeral && s.Ready(m, latest)
	case runtime.Exited:
		status.State.Terminated = terminated(latest)
		status.Ready = m.Sort == podinfo.Init && latest.ExitCode == 0
	case runtime.Created:
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
	default:
		status.State.Waiting = &corev1.ContainerStateWaiting{}
	}
	if isWaiting && latest.State != runtime.Running {
		if status.State.Terminated != nil {
			status.LastTerminationState.Terminated = status.State.Terminated
		}
		status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: waiting.Reason, Message: waiting.Message}}
	}
	if m.Sort != podinfo.Ephemeral {
		status.Started = &started
	}
	return status
}

// unseen is a container that the runtime does not have: not made yet, or removed.
func unseen(s Seen, m podinfo.Member, old *corev1.ContainerStatus, status *corev1.ContainerStatus, waiting Waiting, isWaiting bool) {
	switch {
	case isWaiting:
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: waiting.Reason, Message: waiting.Message}
	case old != nil && old.State.Terminated != nil:
		*status = *old
		return
	case old != nil && old.State.Running != nil:
		// It ran, and what became of it can no longer be learnt.
		*status = *old
		status.Ready = false
		lost := &corev1.ContainerStateTerminated{
			Reason: "ContainerStatusUnknown", Message: "The container could not be located when the pod was terminated", ExitCode: 137,
		}
		if s.Stopping || s.Done {
			status.State = corev1.ContainerState{Terminated: lost}
		} else {
			status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}
			status.LastTerminationState = corev1.ContainerState{Terminated: lost}
		}
		return
	case m.Sort == podinfo.App && len(s.Pod.Spec.InitContainers) > 0, m.Sort != podinfo.App && m.Sort != podinfo.Ephemeral:
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "PodInitializing"}
	default:
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
	}
	if old != nil {
		status.RestartCount, status.LastTerminationState = old.RestartCount, old.LastTerminationState
	}
}

func describe(status *corev1.ContainerStatus, c *runtime.Container, m podinfo.Member) {
	status.ContainerID = containerID(c)
	status.RestartCount = c.Restarts
	status.ImageID = c.ImageRef
	if c.Image != "" && !strings.HasPrefix(c.Image, "sha256:") {
		status.Image = c.Image
	}
	if u := c.User.GetLinux(); u != nil {
		status.User = &corev1.ContainerUser{Linux: &corev1.LinuxContainerUser{UID: u.Uid, GID: u.Gid, SupplementalGroups: u.SupplementalGroups}}
	}
	if m.Sort != podinfo.Ephemeral {
		status.Resources = actual(m.Container.Resources, c)
		if len(m.Container.Resources.Requests) > 0 {
			status.AllocatedResources = m.Container.Resources.Requests
		}
	}
	for _, vm := range m.Container.VolumeMounts {
		mounted := corev1.VolumeMountStatus{Name: vm.Name, MountPath: vm.MountPath, ReadOnly: vm.ReadOnly}
		if vm.ReadOnly {
			mode := corev1.RecursiveReadOnlyDisabled
			if vm.RecursiveReadOnly != nil && *vm.RecursiveReadOnly != corev1.RecursiveReadOnlyDisabled {
				mode = corev1.RecursiveReadOnlyEnabled
			}
			mounted.RecursiveReadOnly = &mode
		}
		status.VolumeMounts = append(status.VolumeMounts, mounted)
	}
}

// actual is what the spec asks for, with CPU and memory as the runtime says they are.
func actual(spec corev1.ResourceRequirements, c *runtime.Container) *corev1.ResourceRequirements {
	r := spec.DeepCopy()
	r.Claims = nil
	if c.State != runtime.Running || c.Resources == nil {
		return r
	}
	if _, limited := r.Limits[corev1.ResourceCPU]; limited && c.Resources.CpuPeriod > 0 && c.Resources.CpuQuota > 0 {
		r.Limits[corev1.ResourceCPU] = *resource.NewMilliQuantity(c.Resources.CpuQuota*1000/c.Resources.CpuPeriod, resource.DecimalSI)
	}
	if _, limited := r.Limits[corev1.ResourceMemory]; limited && c.Resources.MemoryLimitInBytes > 0 {
		if q := r.Limits[corev1.ResourceMemory]; q.Value() != c.Resources.MemoryLimitInBytes {
			r.Limits[corev1.ResourceMemory] = *resource.NewQuantity(c.Resources.MemoryLimitInBytes, resource.BinarySI)
		}
	}
	return r
}

func terminated(c *runtime.Container) *corev1.ContainerStateTerminated {
	reason := c.Reason
	if reason == "" {
		reason = "Completed"
		if c.ExitCode != 0 {
			reason = "Error"
		}
	}
	return &corev1.ContainerStateTerminated{
		ExitCode: c.ExitCode, Reason: reason, Message: c.Message, StartedAt: metav1.NewTime(c.Started), FinishedAt: metav1.NewTime(c.Finished),
		ContainerID: containerID(c),
	}
}

// separator between the name of the runtime and its ID of a container.
const separator = "://"

func containerID(c *runtime.Container) string { return c.Runtime + separator + c.ID }

func oldStatus(pod *corev1.Pod, m podinfo.Member) *corev1.ContainerStatus {
	list := pod.Status.ContainerStatuses
	switch m.Sort {
	case podinfo.Init, podinfo.Sidecar:
		list = pod.Status.InitContainerStatuses
	case podinfo.Ephemeral:
		list = pod.Status.EphemeralContainerStatuses
	}
	for i := range list {
		if list[i].Name == m.Container.Name {
			return &list[i]
		}
	}
	return nil
}

// Published is what the API says of that very start of a container: what the kubelet before this one had found out.
func Published(pod *corev1.Pod, m podinfo.Member, id string) (started, ready bool) {
	old := oldStatus(pod, m)
	if old == nil {
		return false, false
	}
	if _, known, _ := strings.Cut(old.ContainerID, separator); known != id {
		return false, false
	}
	return old.Started != nil && *old.Started, old.Ready
}
