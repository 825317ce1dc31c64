package podinfo

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Place is where a pod runs, for the downward API.
type Place struct {
	NodeName    string
	PodIPs      []string
	HostIPs     []string
	Allocatable corev1.ResourceList
}

// Field resolves a fieldRef of an environment variable or of a volume.
func Field(pod *corev1.Pod, place Place, path string) (string, error) {
	if name, key, ok := subscript(path); ok {
		switch name {
		case "metadata.annotations":
			return pod.Annotations[key], nil
		case "metadata.labels":
			return pod.Labels[key], nil
		}
		return "", fmt.Errorf("unsupported fieldPath: %s", path)
	}
	switch path {
	case "metadata.name":
		return pod.Name, nil
	case "metadata.namespace":
		return pod.Namespace, nil
	case "metadata.uid":
		return string(pod.UID), nil
	case "metadata.labels":
		return formatMap(pod.Labels), nil
	case "metadata.annotations":
		return formatMap(pod.Annotations), nil
	case "spec.nodeName":
		return place.NodeName, nil
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName, nil
	case "status.podIP":
		return first(place.PodIPs), nil
	case "status.podIPs":
		return strings.Join(place.PodIPs, ","), nil
	case "status.hostIP":
		return first(place.HostIPs), nil
	case "status.hostIPs":
		return strings.Join(place.HostIPs, ","), nil
	}
	return "", fmt.Errorf("unsupported fieldPath: %s", path)
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// subscript splits metadata.labels['key'].
func subscript(path string) (name, key string, ok bool) {
	if !strings.HasSuffix(path, "']") {
		return "", "", false
	}
	name, key, ok = strings.Cut(path[:len(path)-2], "['")
	return name, key, ok && key != ""
}

// formatMap writes key="value" lines, sorted, as the downward API's files have them.
func formatMap(m map[string]string) string {
	var out strings.Builder
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "%s=%q", key, m[key])
	}
	return out.String()
}

// Resource resolves a resourceFieldRef. A limit that is not set is what the node can give; defaultContainer serves environment variables, which
// need not name one.
func Resource(pod *corev1.Pod, place Place, ref *corev1.ResourceFieldSelector, defaultContainer string) (string, error) {
	name := ref.ContainerName
	if name == "" {
		name = defaultContainer
	}
	m, ok := Find(pod, name)
	if !ok {
		return "", fmt.Errorf("container %s not found", name)
	}
	kind, resourceName, ok := strings.Cut(ref.Resource, ".")
	if !ok {
		return "", fmt.Errorf("unsupported container resource : %v", ref.Resource)
	}
	r := m.Container.Resources
	which := corev1.ResourceName(resourceName)
	var q resource.Quantity
	switch kind {
	case "limits":
		q, ok = r.Limits[which]
		if !ok || q.IsZero() {
			q = place.Allocatable[which]
		}
	case "requests":
		q, ok = r.Requests[which]
		if !ok {
			q = r.Limits[which]
		}
	default:
		return "", fmt.Errorf("unsupported container resource : %v", ref.Resource)
	}
	return inUnits(q, ref.Divisor, which), nil
}

func inUnits(q, divisor resource.Quantity, name corev1.ResourceName) string {
	if divisor.IsZero() {
		divisor = resource.MustParse("1")
	}
	if name == corev1.ResourceCPU {
		return strconv.FormatInt(int64(math.Ceil(float64(q.MilliValue())/float64(divisor.MilliValue()))), 10)
	}
	return strconv.FormatInt(int64(math.Ceil(float64(q.Value())/float64(divisor.Value()))), 10)
}
