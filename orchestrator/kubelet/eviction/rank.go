package eviction

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// Usage is what a pod takes of the node: bytes, and pieces of inodes and processes.
type Usage struct {
	Pod                        *corev1.Pod
	Memory, Disk, Inodes, PIDs int64
	Containers                 []ContainerUsage
	// EmptyDirs by volume name.
	EmptyDirs map[string]int64
}

// ContainerUsage is one container's part of it.
type ContainerUsage struct {
	Name         string
	Memory, Disk int64
}

func (u Usage) of(name corev1.ResourceName) int64 {
	switch name {
	case corev1.ResourceMemory:
		return u.Memory
	case corev1.ResourceEphemeralStorage:
		return u.Disk
	case "inodes":
		return u.Inodes
	}
	return u.PIDs
}

// beyond is what the pod uses beyond its request.
func (u Usage) beyond(name corev1.ResourceName) int64 {
	request := podinfo.Requests(u.Pod, name)
	return u.of(name) - request.Value()
}

// Critical pods are not evicted, and let in under pressure: the node needs them.
func Critical(pod *corev1.Pod) bool {
	const systemCritical = 2000000000
	return podinfo.IsStatic(pod) || podinfo.IsMirror(pod) || (pod.Spec.Priority != nil && *pod.Spec.Priority >= systemCritical)
}

// rank puts the first victim first: who uses more than it asked for, then who matters least, then who uses most beyond its request.
func rank(t Threshold, pods []Usage) []Usage {
	name := t.resource()
	var ranked []Usage
	for _, u := range pods {
		if !Critical(u.Pod) && !podinfo.Terminal(u.Pod) && u.Pod.DeletionTimestamp == nil {
			ranked = append(ranked, u)
		}
	}
	exceeds := func(u Usage) int {
		if u.beyond(name) > 0 {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(ranked, func(a, b Usage) int {
		return cmp.Or(cmp.Compare(exceeds(a), exceeds(b)), cmp.Compare(priority(a.Pod), priority(b.Pod)), cmp.Compare(b.beyond(name), a.beyond(name)))
	})
	return ranked
}

func priority(pod *corev1.Pod) int32 {
	if pod.Spec.Priority == nil {
		return 0
	}
	return *pod.Spec.Priority
}

// blame names the containers that use more than they asked for.
func blame(t Threshold, u Usage) string {
	var b strings.Builder
	name := t.resource()
	for _, c := range u.Containers {
		used := c.Memory
		switch name {
		case corev1.ResourceMemory:
		case corev1.ResourceEphemeralStorage:
			used = c.Disk
		default:
			return ""
		}
		m, ok := podinfo.Find(u.Pod, c.Name)
		if !ok {
			continue
		}
		request := m.Container.Resources.Requests[name]
		if used > request.Value() {
			fmt.Fprintf(&b, "Container %s was using %s, request is %s, has larger consumption of %s. ", c.Name, kibi(used), &request, name)
		}
	}
	return b.String()
}

// exceeded says which limit on disk space a pod is beyond, empty for none. The limits of those containers that have one add up to a limit of the pod.
func exceeded(u Usage) string {
	for _, v := range u.Pod.Spec.Volumes {
		if v.EmptyDir == nil || v.EmptyDir.SizeLimit == nil || v.EmptyDir.SizeLimit.Sign() == 0 {
			continue
		}
		if u.EmptyDirs[v.Name] > v.EmptyDir.SizeLimit.Value() {
			return fmt.Sprintf("Usage of EmptyDir volume %q exceeds the limit %q. ", v.Name, v.EmptyDir.SizeLimit)
		}
	}
	limit := podinfo.Limits(u.Pod, corev1.ResourceEphemeralStorage)
	if limit.Sign() > 0 && u.Disk > limit.Value() {
		return fmt.Sprintf("Pod ephemeral local storage usage exceeds the total limit of containers %s. ", &limit)
	}
	for _, c := range u.Containers {
		m, ok := podinfo.Find(u.Pod, c.Name)
		if !ok || (m.Sort != podinfo.App && m.Sort != podinfo.Sidecar) {
			continue
		}
		if own, limited := m.Container.Resources.Limits[corev1.ResourceEphemeralStorage]; limited && own.Sign() > 0 && c.Disk > own.Value() {
			return fmt.Sprintf("Container %s exceeded its local ephemeral storage limit %q. ", c.Name, &own)
		}
	}
	return ""
}

// Limited is true for a pod whose use of the disk has to be looked at. Critical ones are let be.
func Limited(pod *corev1.Pod) bool {
	if Critical(pod) {
		return false
	}
	for _, v := range pod.Spec.Volumes {
		if v.EmptyDir != nil && v.EmptyDir.SizeLimit != nil && v.EmptyDir.SizeLimit.Cmp(resource.Quantity{}) > 0 {
			return true
		}
	}
	for _, m := range podinfo.Members(pod) {
		if _, ok := m.Container.Resources.Limits[corev1.ResourceEphemeralStorage]; ok {
			return true
		}
	}
	return false
}
