package volumes

import (
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
)

const local = "local-volume"

// own gives a local volume to the pod's fsGroup, once in the pod's life and only if no other pod of this node has the volume: what its files are
// in between is the pods' own matter. The pod's folder for the volume, where stock has its mount, remembers that it was done.
func (m *Manager) own(pod *corev1.Pod, volume string, mounted Mounted) error {
	done := m.Dir(pod.UID, local, volume)
	if isDir(done) {
		return nil
	}
	others, err := filepath.Glob(filepath.Join(m.Root, "pods", "*", "volumes", "kubernetes.io~"+local, volume))
	if err != nil {
		return err
	}
	if len(others) == 0 && !mounted.ReadOnly {
		o := ownership{group: fsGroup(pod)}
		if sc := pod.Spec.SecurityContext; sc != nil && sc.FSGroupChangePolicy != nil {
			o.onMismatch = *sc.FSGroupChangePolicy == corev1.FSGroupChangeOnRootMismatch
		}
		if err := o.apply(mounted.Path); err != nil {
			return fmt.Errorf("applyFSGroup failed for vol %s: %w", volume, err)
		}
	}
	return os.MkdirAll(done, 0o750)
}
