// Package allocation decides whether this node can take a pod, with stock's words for why not.
//
// Pure: it is handed the node, what the node can give, and the pods that it already took. Workers ask it once per pod, before anything of
// the pod is made.
package allocation

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/status"
)

// Admit returns why a pod is refused, nil when it is not. node may be nil while it is not known.
func Admit(pod *corev1.Pod, node *corev1.Node, allocatable corev1.ResourceList, others []*corev1.Pod) *status.Verdict {
	if v := fits(pod, allocatable, others); v != nil {
		return v
	}
	if node == nil {
		return nil
	}
	match, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(node)
	if err != nil || !match {
		return &status.Verdict{Reason: "NodeAffinity", Message: "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"}
	}
	return nil
}

// fits holds the pod's requests against what the others left.
func fits(pod *corev1.Pod, allocatable corev1.ResourceList, others []*corev1.Pod) *status.Verdict {
	active := 0
	used := map[corev1.ResourceName]*resource.Quantity{}
	ports := map[string]bool{}
	for _, other := range others {
		if other.UID == pod.UID || podinfo.Terminal(other) {
			continue
		}
		active++
		for name := range allocatable {
			q := podinfo.Requests(other, name)
			if used[name] == nil {
				used[name] = &resource.Quantity{}
			}
			used[name].Add(q)
		}
		for _, port := range hostPorts(other) {
			ports[port] = true
		}
	}
	if limit := allocatable[corev1.ResourcePods]; int64(active+1) > limit.Value() {
		return &status.Verdict{Reason: "OutOfpods", Message: fmt.Sprintf("Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: %d, capacity: %d", active, limit.Value())}
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		if v := short(name, podinfo.Requests(pod, name), used[name], allocatable[name]); v != nil {
			return v
		}
	}
	for _, port := range hostPorts(pod) {
		if ports[port] {
			return &status.Verdict{Reason: "NodePorts", Message: "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"}
		}
	}
	return nil
}

func short(name corev1.ResourceName, request resource.Quantity, used *resource.Quantity, capacity resource.Quantity) *status.Verdict {
	if request.IsZero() {
		return nil
	}
	if used == nil {
		used = &resource.Quantity{}
	}
	sum := used.DeepCopy()
	sum.Add(request)
	if sum.Cmp(capacity) <= 0 {
		return nil
	}
	return &status.Verdict{Reason: "OutOf" + string(name), Message: fmt.Sprintf("Pod was rejected: Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d", name, units(name, request), units(name, *used), units(name, capacity))}
}

func hostPorts(pod *corev1.Pod) []string {
	var ports []string
	for _, m := range podinfo.Members(pod) {
		if m.Sort == podinfo.Init || m.Sort == podinfo.Ephemeral {
			continue
		}
		for _, p := range m.Container.Ports {
			if p.HostPort > 0 {
				ports = append(ports, fmt.Sprintf("%s/%s/%d", p.HostIP, p.Protocol, p.HostPort))
			}
		}
	}
	return ports
}

// Resize returns why new resources of a pod that runs cannot be given: never on this node, or not now.
func Resize(pod *corev1.Pod, allocatable corev1.ResourceList, others []*corev1.Pod) *status.Verdict {
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		request, capacity := podinfo.Requests(pod, name), allocatable[name]
		if request.Cmp(capacity) > 0 {
			return &status.Verdict{Reason: corev1.PodReasonInfeasible, Message: fmt.Sprintf("Node didn't have enough capacity: %s, requested: %d, capacity: %d", name, units(name, request), units(name, capacity))}
		}
	}
	if v := fits(pod, allocatable, others); v != nil {
		return &status.Verdict{Reason: corev1.PodReasonDeferred, Message: strings.TrimPrefix(v.Message, "Pod was rejected: ")}
	}
	return nil
}

// units in which messages count.
func units(name corev1.ResourceName, q resource.Quantity) int64 {
	if name == corev1.ResourceCPU {
		return q.MilliValue()
	}
	return q.Value()
}
