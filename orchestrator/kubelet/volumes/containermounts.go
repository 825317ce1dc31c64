package volumes

import (
	"fmt"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// ContainerMounts translates a container's volumeMounts. expand resolves $(NAME) in subPathExpr; image returns the reference of a pulled image volume.
func (m *Manager) ContainerMounts(pod *corev1.Pod, c *corev1.Container, ready map[string]Mounted, expand func(string) (string, error), image func(*corev1.ImageVolumeSource) (string, error)) ([]*runtimeapi.Mount, error) {
	var mounts []*runtimeapi.Mount
	for i, vm := range c.VolumeMounts {
		volume, ok := ready[vm.Name]
		if !ok {
			return nil, fmt.Errorf("cannot find volume %q to mount into container %q", vm.Name, c.Name)
		}
		mount := &runtimeapi.Mount{
			ContainerPath: absolute(vm.MountPath),
			Readonly:      vm.ReadOnly || volume.ReadOnly,
			Propagation:   propagation(vm.MountPropagation),
		}
		mount.RecursiveReadOnly = vm.RecursiveReadOnly != nil && *vm.RecursiveReadOnly != corev1.RecursiveReadOnlyDisabled && vm.ReadOnly
		if volume.Image != nil {
			reference, err := image(volume.Image)
			if err != nil {
				return nil, err
			}
			mount.Image, mount.ImageSubPath = &runtimeapi.ImageSpec{Image: reference, UserSpecifiedImage: volume.Image.Reference}, vm.SubPath
			mounts = append(mounts, mount)
			continue
		}
		path, err := m.hostSide(pod, c, i, vm, volume, expand)
		if err != nil {
			return nil, err
		}
		mount.HostPath = path
		mounts = append(mounts, mount)
	}
	return mounts, nil
}

func (m *Manager) hostSide(pod *corev1.Pod, c *corev1.Container, index int, vm corev1.VolumeMount, volume Mounted, expand func(string) (string, error)) (string, error) {
	sub := vm.SubPath
	if vm.SubPathExpr != "" {
		expanded, err := expand(vm.SubPathExpr)
		if err != nil {
			return "", err
		}
		sub = expanded
	}
	if sub == "" {
		return volume.Path, nil
	}
	if filepath.IsAbs(sub) {
		return "", fmt.Errorf("error SubPath `%s` must not be an absolute path", sub)
	}
	return m.subPath(pod.UID, vm.Name, c.Name, index, volume.Path, sub)
}

func absolute(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + path
}

func propagation(p *corev1.MountPropagationMode) runtimeapi.MountPropagation {
	if p == nil {
		return runtimeapi.MountPropagation_PROPAGATION_PRIVATE
	}
	switch *p {
	case corev1.MountPropagationHostToContainer:
		return runtimeapi.MountPropagation_PROPAGATION_HOST_TO_CONTAINER
	case corev1.MountPropagationBidirectional:
		return runtimeapi.MountPropagation_PROPAGATION_BIDIRECTIONAL
	}
	return runtimeapi.MountPropagation_PROPAGATION_PRIVATE
}
