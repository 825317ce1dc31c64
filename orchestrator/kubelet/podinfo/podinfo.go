// Package podinfo answers small questions about a Pod object that many parts of the kubelet ask: who it is, which containers it has and of
// what sort, its QoS class. Pure: it reads the object and nothing else.
package podinfo

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// Annotations that mark where a pod came from. They are stock's, so a kubelet of either make knows the other's static pods.
const (
	SourceAnnotation = "kubernetes.io/config.source"
	SeenAnnotation   = "kubernetes.io/config.seen"
	HashAnnotation   = "kubernetes.io/config.hash"
	MirrorAnnotation = corev1.MirrorPodAnnotationKey
)

// Sort of a container: the five stages of a pod's life that containers belong to.
type Sort int

// Sorts in the order in which they start.
const (
	Init Sort = iota
	Sidecar
	App
	Ephemeral
)

// Member is a container with its sort.
type Member struct {
	Sort      Sort
	Container *corev1.Container
	// Target is the container whose processes an ephemeral one sees.
	Target string
}

// Members lists every container of a pod in order: init containers and sidecars as written, app containers, ephemeral ones.
func Members(pod *corev1.Pod) []Member {
	var all []Member
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		sort := Init
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			sort = Sidecar
		}
		all = append(all, Member{Sort: sort, Container: c})
	}
	for i := range pod.Spec.Containers {
		all = append(all, Member{Sort: App, Container: &pod.Spec.Containers[i]})
	}
	for i := range pod.Spec.EphemeralContainers {
		e := &pod.Spec.EphemeralContainers[i]
		c := corev1.Container(e.EphemeralContainerCommon)
		all = append(all, Member{Sort: Ephemeral, Container: &c, Target: e.TargetContainerName})
	}
	return all
}

// Find returns the container of that name, of any sort.
func Find(pod *corev1.Pod, name string) (Member, bool) {
	for _, m := range Members(pod) {
		if m.Container.Name == name {
			return m, true
		}
	}
	return Member{}, false
}

// FullName is name_namespace, as stock logs and keys pods by it.
func FullName(pod *corev1.Pod) string { return pod.Name + "_" + pod.Namespace }

// Key is namespace/name.
func Key(pod *corev1.Pod) string { return pod.Namespace + "/" + pod.Name }

// IsStatic is true for a pod of a file; IsMirror for the object that shows one in the API.
func IsStatic(pod *corev1.Pod) bool {
	source, ok := pod.Annotations[SourceAnnotation]
	return ok && source != "api"
}

// IsMirror is true for the API's picture of a static pod.
func IsMirror(pod *corev1.Pod) bool {
	_, ok := pod.Annotations[MirrorAnnotation]
	return ok
}

// HostNetwork is true for pods in the node's network namespace.
func HostNetwork(pod *corev1.Pod) bool { return pod.Spec.HostNetwork }

// GracePeriod is the grace in seconds that a pod asks for.
func GracePeriod(pod *corev1.Pod) int64 {
	if pod.Spec.TerminationGracePeriodSeconds != nil {
		return *pod.Spec.TerminationGracePeriodSeconds
	}
	return corev1.DefaultTerminationGracePeriodSeconds
}

// FieldPath is how events point at a container: spec.containers{name}.
func FieldPath(m Member) string {
	switch m.Sort {
	case Init, Sidecar:
		return fmt.Sprintf("spec.initContainers{%s}", m.Container.Name)
	case Ephemeral:
		return fmt.Sprintf("spec.ephemeralContainers{%s}", m.Container.Name)
	default:
		return fmt.Sprintf("spec.containers{%s}", m.Container.Name)
	}
}

// Terminal is true once a pod's phase can no longer change.
func Terminal(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}
