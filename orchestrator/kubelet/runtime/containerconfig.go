package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// ContainerRequest is what a container is made of, besides the pod and its spec.
type ContainerRequest struct {
	Pod       *corev1.Pod
	Container *corev1.Container
	Restarts  int32
	// Image is the reference of the image that was pulled, and its own user.
	Image     string
	ImageUID  *int64
	ImageUser string
	Env       []*runtimeapi.KeyValue
	// Command and Args with $(VAR) expanded.
	Command, Args []string
	Mounts        []*runtimeapi.Mount
	// Target is the container whose process namespace an ephemeral container joins.
	Target         *Container
	ExtraGroups    []int64
	SeccompRoot    string
	SeccompDefault bool
	NodeMemory     int64
	CFSQuota       bool
}

// ContainerConfig translates it.
func ContainerConfig(r ContainerRequest) (*runtimeapi.ContainerConfig, error) {
	security, err := securityContext(r)
	if err != nil {
		return nil, err
	}
	c := r.Container
	return &runtimeapi.ContainerConfig{
		Metadata:    &runtimeapi.ContainerMetadata{Name: c.Name, Attempt: uint32(r.Restarts)},
		Image:       &runtimeapi.ImageSpec{Image: r.Image, UserSpecifiedImage: c.Image},
		Command:     r.Command,
		Args:        r.Args,
		WorkingDir:  c.WorkingDir,
		Labels:      containerLabels(r.Pod, c.Name),
		Annotations: containerAnnotations(r),
		LogPath:     filepath.Join(c.Name, strconv.Itoa(int(r.Restarts))+".log"),
		Stdin:       c.Stdin,
		StdinOnce:   c.StdinOnce,
		Tty:         c.TTY,
		Envs:        r.Env,
		Mounts:      r.Mounts,
		StopSignal:  stopSignal(c),
		Linux: &runtimeapi.LinuxContainerConfig{
			Resources:       ContainerResources(r.Pod, c, r.NodeMemory, r.CFSQuota),
			SecurityContext: security,
		},
	}, nil
}

func containerLabels(pod *corev1.Pod, name string) map[string]string {
	return map[string]string{LabelPodName: pod.Name, LabelPodNamespace: pod.Namespace, LabelPodUID: string(pod.UID), LabelContainerName: name}
}

func containerAnnotations(r ContainerRequest) map[string]string {
	c := r.Container
	a := map[string]string{
		annotationHash:          strconv.FormatUint(Hash(c), 16),
		annotationRestartCount:  strconv.Itoa(int(r.Restarts)),
		annotationMessagePath:   c.TerminationMessagePath,
		annotationMessagePolicy: string(c.TerminationMessagePolicy),
	}
	if g := r.Pod.DeletionGracePeriodSeconds; g != nil {
		a[annotationDeletionGrace] = strconv.FormatInt(*g, 10)
	}
	if g := r.Pod.Spec.TerminationGracePeriodSeconds; g != nil {
		a[annotationGrace] = strconv.FormatInt(*g, 10)
	}
	if c.Lifecycle != nil && c.Lifecycle.PreStop != nil {
		a[annotationPreStop] = asJSON(c.Lifecycle.PreStop)
	}
	if len(c.Ports) > 0 {
		a[annotationPorts] = asJSON(c.Ports)
	}
	return a
}

func asJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "" // API types always marshal
	}
	return string(data)
}

func stopSignal(c *corev1.Container) runtimeapi.Signal {
	if c.Lifecycle == nil || c.Lifecycle.StopSignal == nil {
		return runtimeapi.Signal_SIGNAL_RUNTIME_DEFAULT
	}
	return runtimeapi.Signal(runtimeapi.Signal_value[fmt.Sprintf("SIGNAL_%s", *c.Lifecycle.StopSignal)])
}

// Orphan rebuilds the part of a spec that stopping needs, for a container whose pod is no longer known: it was kept in annotations.
func (c *Container) Orphan() *corev1.Container {
	spec := &corev1.Container{Name: c.Name}
	if data := c.annotations[annotationPreStop]; data != "" {
		handler := &corev1.LifecycleHandler{}
		if json.Unmarshal([]byte(data), handler) == nil {
			spec.Lifecycle = &corev1.Lifecycle{PreStop: handler}
		}
	}
	if data := c.annotations[annotationPorts]; data != "" {
		_ = json.Unmarshal([]byte(data), &spec.Ports) // a handler that names a port fails without it, and says so
	}
	return spec
}

// Remove removes a container and forgets what was remembered of it.
func (c *Client) Remove(ctx context.Context, id string) error {
	if err := c.RemoveContainer(ctx, id); err != nil && !IsNotFound(err) {
		return fmt.Errorf("remove container %s: %w", id, err)
	}
	c.exited.drop(id)
	return nil
}
