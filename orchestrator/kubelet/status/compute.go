package status

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// Compute returns the whole status of a pod. Fields of other owners are those of s.Pod.Status.
func Compute(s Seen) corev1.PodStatus {
	status := *s.Pod.Status.DeepCopy()
	status.ObservedGeneration = s.Pod.Generation
	status.InitContainerStatuses = containerStatuses(s, func(k podinfo.Sort) bool { return k == podinfo.Init || k == podinfo.Sidecar })
	status.ContainerStatuses = containerStatuses(s, func(k podinfo.Sort) bool { return k == podinfo.App })
	status.EphemeralContainerStatuses = containerStatuses(s, func(k podinfo.Sort) bool { return k == podinfo.Ephemeral })
	status.QOSClass = podinfo.QOS(s.Pod)
	if status.StartTime == nil {
		now := s.Now
		status.StartTime = &now
	}
	status.Resources, status.AllocatedResources = together(s.Pod)
	addresses(&status, s)
	status.Phase = phase(s, &status)
	status.Reason, status.Message = s.Pod.Status.Reason, s.Pod.Status.Message
	if s.Verdict != nil {
		status.Reason, status.Message = s.Verdict.Reason, s.Verdict.Message
	}
	status.Conditions = conditions(s, &status)
	return status
}

// together is what the pod's containers have between them, and of it what was allocated; resources of the pod itself come before theirs.
func together(pod *corev1.Pod) (*corev1.ResourceRequirements, corev1.ResourceList) {
	all := pod.Spec.Resources.DeepCopy()
	if all == nil {
		all = &corev1.ResourceRequirements{}
	}
	all.Requests, all.Limits = nil, nil
	if requests := resource.PodRequests(pod, resource.PodResourcesOptions{}); len(requests) > 0 {
		all.Requests = requests
	}
	if limits := resource.PodLimits(pod, resource.PodResourcesOptions{}); len(limits) > 0 {
		all.Limits = limits
	}
	return all, all.Requests.DeepCopy()
}

// phase never goes back from an end, and never reaches one while something of the pod may still run.
func phase(s Seen, status *corev1.PodStatus) corev1.PodPhase {
	old := s.Pod.Status.Phase
	if old == corev1.PodSucceeded || old == corev1.PodFailed {
		return old
	}
	alive := s.Runtime != nil && len(s.Runtime.Alive()) > 0
	next := Phase(s.Pod, status, s.Done && !alive)
	if s.Verdict != nil {
		next = corev1.PodFailed
	}
	if alive && (next == corev1.PodFailed || next == corev1.PodSucceeded) {
		if old == "" {
			return corev1.PodPending
		}
		return old
	}
	return next
}

func addresses(status *corev1.PodStatus, s Seen) {
	if len(s.HostIPs) > 0 {
		status.HostIP, status.HostIPs = s.HostIPs[0], nil
		for _, ip := range s.HostIPs {
			status.HostIPs = append(status.HostIPs, corev1.HostIP{IP: ip})
		}
	}
	var ips []string
	if s.Pod.Spec.HostNetwork {
		ips = s.HostIPs
	} else if sandbox := s.Runtime.Sandbox(); sandbox != nil {
		ips = sandbox.IPs
	}
	if len(ips) == 0 {
		return // the last known addresses stay
	}
	status.PodIP, status.PodIPs = ips[0], nil
	for _, ip := range ips {
		status.PodIPs = append(status.PodIPs, corev1.PodIP{IP: ip})
	}
}

// verdict of one condition.
type verdict struct {
	kind            corev1.PodConditionType
	ok              bool
	reason, message string
}

func conditions(s Seen, status *corev1.PodStatus) []corev1.PodCondition {
	containers := containersReady(s, status)
	own := []verdict{
		{kind: corev1.PodReadyToStartContainers, ok: s.SandboxUsable && !(status.Phase == corev1.PodSucceeded || status.Phase == corev1.PodFailed)},
		initialized(s, status),
		ready(s, containers),
		containers,
		{kind: corev1.PodScheduled, ok: true},
	}
	if s.Verdict != nil && s.Verdict.Disruption {
		own = append(own, verdict{kind: corev1.DisruptionTarget, ok: true, reason: corev1.PodReasonTerminationByKubelet, message: s.Verdict.Message})
	}
	// What others wrote stands before the kubelet's own, which have a fixed order.
	was := s.Pod.Status.DeepCopy().Conditions
	var all []corev1.PodCondition
	for _, c := range was {
		if !slices.ContainsFunc(own, func(v verdict) bool { return v.kind == c.Type }) {
			all = append(all, c)
		}
	}
	for _, v := range own {
		if i := slices.IndexFunc(was, func(c corev1.PodCondition) bool { return c.Type == v.kind }); i >= 0 {
			all = append(all, was[i])
		}
		all = put(all, v, s)
	}
	return resizeConditions(all, s.Resize)
}

// resizeConditions are there only while they are true.
func resizeConditions(all, now []corev1.PodCondition) []corev1.PodCondition {
	var kept []corev1.PodCondition
	for _, c := range all {
		if c.Type != corev1.PodResizePending && c.Type != corev1.PodResizeInProgress {
			kept = append(kept, c)
			continue
		}
		for i := range now {
			if now[i].Type == c.Type && now[i].Status == c.Status {
				now[i].LastTransitionTime = c.LastTransitionTime
			}
		}
	}
	return append(kept, now...)
}

func put(all []corev1.PodCondition, v verdict, s Seen) []corev1.PodCondition {
	c := corev1.PodCondition{Type: v.kind, Status: corev1.ConditionFalse, Reason: v.reason, Message: v.message, LastTransitionTime: s.Now, ObservedGeneration: s.Pod.Generation}
	if v.ok {
		c.Status = corev1.ConditionTrue
	}
	for i := range all {
		if all[i].Type != v.kind {
			continue
		}
		if v.kind == corev1.PodScheduled && all[i].Status == corev1.ConditionTrue {
			all[i].ObservedGeneration = s.Pod.Generation
			return all
		}
		if all[i].Status == c.Status {
			c.LastTransitionTime = all[i].LastTransitionTime
		}
		all[i] = c
		return all
	}
	return append(all, c)
}

func initialized(s Seen, status *corev1.PodStatus) verdict {
	v := verdict{kind: corev1.PodInitialized}
	if status.Phase == corev1.PodSucceeded {
		v.ok, v.reason = true, "PodCompleted"
		return v
	}
	begun := false
	for _, c := range status.ContainerStatuses {
		begun = begun || c.State.Running != nil || c.State.Terminated != nil || c.LastTerminationState.Terminated != nil
	}
	var unknown, incomplete []string
	members := podinfo.Members(s.Pod)
	for i, c := range status.InitContainerStatuses {
		sidecar := members[i].Sort == podinfo.Sidecar
		switch {
		case begun, sidecar && c.Started != nil && *c.Started, !sidecar && c.Ready:
		default:
			incomplete = append(incomplete, c.Name)
		}
	}
	v.message = unready(unknown, incomplete, "incomplete")
	v.ok = v.message == ""
	if !v.ok {
		v.reason = "ContainersNotInitialized"
	}
	return v
}

func containersReady(s Seen, status *corev1.PodStatus) verdict {
	v := verdict{kind: corev1.ContainersReady}
	switch status.Phase {
	case corev1.PodSucceeded:
		v.reason = "PodCompleted"
		return v
	case corev1.PodFailed:
		v.reason = "PodFailed"
		return v
	}
	var unknown, not []string
	members := podinfo.Members(s.Pod)
	for i, c := range status.InitContainerStatuses {
		if members[i].Sort == podinfo.Sidecar && !c.Ready {
			not = append(not, c.Name)
		}
	}
	for _, c := range status.ContainerStatuses {
		if !c.Ready {
			not = append(not, c.Name)
		}
	}
	v.message = unready(unknown, not, "unready")
	v.ok = v.message == ""
	if !v.ok {
		v.reason = "ContainersNotReady"
	}
	return v
}

func unready(unknown, names []string, what string) string {
	var parts []string
	if len(unknown) > 0 {
		parts = append(parts, fmt.Sprintf("containers with unknown status: %s", unknown))
	}
	if len(names) > 0 {
		parts = append(parts, fmt.Sprintf("containers with %s status: %s", what, names))
	}
	return strings.Join(parts, ", ")
}

// ready is that of the containers and of every readiness gate.
func ready(s Seen, containers verdict) verdict {
	v := verdict{kind: corev1.PodReady, ok: containers.ok, reason: containers.reason, message: containers.message}
	if !containers.ok {
		return v
	}
	var missing []string
	for _, gate := range s.Pod.Spec.ReadinessGates {
		found, ok := false, false
		for _, c := range s.Pod.Status.Conditions {
			if c.Type == gate.ConditionType {
				found, ok = true, c.Status == corev1.ConditionTrue
			}
		}
		if !found {
			missing = append(missing, fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", gate.ConditionType))
		} else if !ok {
			missing = append(missing, fmt.Sprintf("the status of pod readiness gate %q is not \"True\", but False", gate.ConditionType))
		}
	}
	if len(missing) > 0 {
		v.ok, v.reason, v.message = false, "ReadinessGatesNotReady", strings.Join(missing, ", ")
	}
	return v
}
