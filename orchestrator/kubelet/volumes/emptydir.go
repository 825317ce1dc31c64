package volumes

import (
	"fmt"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// emptyDir is writable by everybody; memory-backed ones are limited to their size, or to the pod's memory.
func emptyDir(dir string, pod *corev1.Pod, v *corev1.EmptyDirVolumeSource) error {
	exists := isDir(dir)
	switch v.Medium {
	case corev1.StorageMediumDefault:
		if err := makeDir(dir, 0o777); err != nil {
			return err
		}
	case corev1.StorageMediumMemory:
		mountedHere, err := isMount(dir)
		if err != nil {
			return err
		}
		exists = mountedHere
		if err := mountTmpfs(dir, memoryDirSize(pod, v)); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o777); err != nil {
			return err
		}
	default:
		page, err := pageSize(pod, v.Medium)
		if err != nil {
			return err
		}
		if exists, err = isMount(dir); err != nil {
			return err
		}
		if err := mountHugepages(dir, page); err != nil {
			return err
		}
	}
	if exists {
		return nil // its files belong to the pod now
	}
	return ownership{group: fsGroup(pod)}.apply(dir)
}

func memoryDirSize(pod *corev1.Pod, v *corev1.EmptyDirVolumeSource) int64 {
	var size int64
	if v.SizeLimit != nil {
		size = v.SizeLimit.Value()
	}
	limit := podinfo.Limits(pod, corev1.ResourceMemory)
	for _, member := range podinfo.Members(pod) {
		if q := member.Container.Resources.Limits[corev1.ResourceMemory]; q.IsZero() && member.Sort != podinfo.Ephemeral {
			return size
		}
	}
	if l := limit.Value(); l > 0 && (size == 0 || l < size) {
		size = l
	}
	return size
}

// pageSize in bytes of a medium: HugePages is the one size that the pod's containers ask for, HugePages-2Mi must be among them.
func pageSize(pod *corev1.Pod, medium corev1.StorageMedium) (int64, error) {
	asked := map[string]bool{}
	for _, member := range podinfo.Members(pod) {
		for name := range member.Container.Resources.Requests {
			if size, ok := strings.CutPrefix(string(name), corev1.ResourceHugePagesPrefix); ok {
				asked[size] = true
			}
		}
	}
	size, named := strings.CutPrefix(string(medium), string(corev1.StorageMediumHugePagesPrefix))
	switch {
	case named && !asked[size]:
		return 0, fmt.Errorf("medium %q: no container asks for %s%s", medium, corev1.ResourceHugePagesPrefix, size)
	case !named && medium != corev1.StorageMediumHugePages:
		return 0, fmt.Errorf("medium %q is not supported by this node", medium)
	case !named && len(asked) != 1:
		return 0, fmt.Errorf("medium %q: containers must ask for huge pages of one size, and ask for %d", medium, len(asked))
	case !named:
		for one := range asked {
			size = one
		}
	}
	page, err := resource.ParseQuantity(size)
	if err != nil {
		return 0, fmt.Errorf("medium %q: %w", medium, err)
	}
	return page.Value(), nil
}
