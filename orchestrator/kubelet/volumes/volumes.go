// Package volumes puts a pod's volumes below its folder on the node, keeps their content current, and takes them away.
//
// It owns /var/lib/kubelet/pods/UID/volumes and volume-subpaths (stock's layout). Mounts are system calls: no program is run. It is fed
// pods by their workers, content by objects, and hands out the mounts of a container. It never asks the runtime anything.
package volumes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// Sources of content and of claims.
type Sources struct {
	ConfigMap func(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error)
	Secret    func(ctx context.Context, namespace, name string) (*corev1.Secret, error)
	Token     func(ctx context.Context, pod *corev1.Pod, audience string, seconds int64) (token string, refresh time.Time, err error)
	// Claim returns the volume that a claim is bound to.
	Claim func(ctx context.Context, namespace, name string) (*corev1.PersistentVolume, error)
}

// Manager of the volumes of all pods.
type Manager struct {
	// Root is the kubelet's folder, /var/lib/kubelet.
	Root    string
	Sources Sources
	// Place resolves the downward API for a pod.
	Place func(pod *corev1.Pod) podinfo.Place
}

// Mounted is a volume that is ready for containers.
type Mounted struct {
	// Path on the node. Empty for an image volume.
	Path     string
	ReadOnly bool
	Image    *corev1.ImageVolumeSource
}

// Error of one volume, worded as stock's FailedMount event.
type Error struct {
	Volume string
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("MountVolume.SetUp failed for volume %q : %v", e.Volume, e.Err)
}
func (e *Error) Unwrap() error { return e.Err }

// Setup brings every volume that a container mounts to its present content. It is called again whenever something may have changed;
// refresh is when content expires by itself (zero: never).
func (m *Manager) Setup(ctx context.Context, pod *corev1.Pod) (ready map[string]Mounted, refresh time.Time, err error) {
	used := mounted(pod)
	ready = map[string]Mounted{}
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		if !used[v.Name] {
			continue
		}
		one, due, err := m.setup(ctx, pod, v)
		if err != nil {
			return nil, time.Time{}, &Error{Volume: v.Name, Err: err}
		}
		ready[v.Name] = one
		if !due.IsZero() && (refresh.IsZero() || due.Before(refresh)) {
			refresh = due
		}
	}
	return ready, refresh, nil
}

func mounted(pod *corev1.Pod) map[string]bool {
	used := map[string]bool{}
	for _, member := range podinfo.Members(pod) {
		for _, mount := range member.Container.VolumeMounts {
			used[mount.Name] = true
		}
	}
	return used
}

func (m *Manager) setup(ctx context.Context, pod *corev1.Pod, v *corev1.Volume) (Mounted, time.Time, error) {
	switch {
	case v.EmptyDir != nil:
		dir := m.Dir(pod.UID, "empty-dir", v.Name)
		return Mounted{Path: dir}, time.Time{}, emptyDir(dir, pod, v.EmptyDir)
	case v.HostPath != nil:
		return Mounted{Path: v.HostPath.Path}, time.Time{}, checkHostPath(v.HostPath)
	case v.Image != nil:
		return Mounted{Image: v.Image, ReadOnly: true}, time.Time{}, nil
	case v.PersistentVolumeClaim != nil:
		return m.claim(ctx, pod, v.PersistentVolumeClaim.ClaimName, v.PersistentVolumeClaim.ReadOnly)
	case v.Ephemeral != nil:
		return m.claim(ctx, pod, pod.Name+"-"+v.Name, false)
	}
	p, err := m.payload(ctx, pod, v)
	if err != nil {
		return Mounted{}, time.Time{}, err
	}
	dir := m.Dir(pod.UID, p.plugin, v.Name)
	if err := p.prepare(dir); err != nil {
		return Mounted{}, time.Time{}, err
	}
	if err := writeAtomically(dir, p.files, ownership{group: fsGroup(pod), readOnly: true}); err != nil {
		return Mounted{}, time.Time{}, err
	}
	return Mounted{Path: dir, ReadOnly: true}, p.refresh, nil
}

// claim mounts what a claim is bound to. Local and host path volumes are folders of the node; the others need a CSI driver.
func (m *Manager) claim(ctx context.Context, pod *corev1.Pod, name string, readOnly bool) (Mounted, time.Time, error) {
	volume, err := m.Sources.Claim(ctx, pod.Namespace, name)
	if err != nil {
		return Mounted{}, time.Time{}, err
	}
	switch s := volume.Spec.PersistentVolumeSource; {
	case s.HostPath != nil:
		return Mounted{Path: s.HostPath.Path, ReadOnly: readOnly}, time.Time{}, checkHostPath(s.HostPath)
	case s.Local != nil:
		if _, err := os.Stat(s.Local.Path); err != nil {
			return Mounted{}, time.Time{}, fmt.Errorf("path %q does not exist", s.Local.Path)
		}
		mounted := Mounted{Path: s.Local.Path, ReadOnly: readOnly}
		return mounted, time.Time{}, m.own(pod, volume.Name, mounted)
	}
	return Mounted{}, time.Time{}, fmt.Errorf("no volume plugin matched name of PersistentVolume %q", volume.Name)
}

// PodDir is everything of a pod.
func (m *Manager) PodDir(uid types.UID) string { return filepath.Join(m.Root, "pods", string(uid)) }

// Dir of a volume.
func (m *Manager) Dir(uid types.UID, plugin, volume string) string {
	return filepath.Join(m.PodDir(uid), "volumes", "kubernetes.io~"+plugin, volume)
}

// Teardown unmounts and removes everything of a pod. It may be called again.
func (m *Manager) Teardown(uid types.UID) error {
	dir := m.PodDir(uid)
	if err := unmountBelow(dir); err != nil {
		return fmt.Errorf("tear down the volumes of pod %s: %w", uid, err)
	}
	if err := removeOneFileSystem(dir); err != nil {
		return fmt.Errorf("remove %s: %w", dir, err)
	}
	return nil
}

// Left lists the pods that have a folder on this node.
func (m *Manager) Left() ([]types.UID, error) {
	entries, err := os.ReadDir(filepath.Join(m.Root, "pods"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var uids []types.UID
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			uids = append(uids, types.UID(e.Name()))
		}
	}
	return uids, nil
}
