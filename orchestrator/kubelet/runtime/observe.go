package runtime

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Pod is what the runtime has of a pod. Sandboxes and containers stand newest first.
type Pod struct {
	UID, Name, Namespace string
	Sandboxes            []*Sandbox
	Containers           []*Container
}

// Sandbox is a pod's shell of namespaces, present or past.
type Sandbox struct {
	ID      string
	Attempt uint32
	Ready   bool
	Created time.Time
	IPs     []string
	Network runtimeapi.NamespaceMode
}

// State of a container.
type State = runtimeapi.ContainerState

// States, shorter.
const (
	Created = runtimeapi.ContainerState_CONTAINER_CREATED
	Running = runtimeapi.ContainerState_CONTAINER_RUNNING
	Exited  = runtimeapi.ContainerState_CONTAINER_EXITED
	Unknown = runtimeapi.ContainerState_CONTAINER_UNKNOWN
)

// Container is one start of a container.
type Container struct {
	ID, Name, SandboxID        string
	Runtime                    string // its name, by which the ID in a pod's status begins
	State                      State
	Restarts                   int32
	Hash                       uint64
	Created, Started, Finished time.Time
	ExitCode                   int32
	Reason, Message            string
	Image, ImageRef, ImageID   string
	LogPath                    string
	User                       *runtimeapi.ContainerUser
	Resources                  *runtimeapi.LinuxContainerResources
	StopSignal                 runtimeapi.Signal
	Grace                      int64
	annotations, labels        map[string]string
	terminationMessageHostPath string
}

// Sandbox returns the newest one, nil without any.
func (p *Pod) Sandbox() *Sandbox {
	if p == nil || len(p.Sandboxes) == 0 {
		return nil
	}
	return p.Sandboxes[0]
}

// Latest returns the newest start of the container of that name, nil without any.
func (p *Pod) Latest(name string) *Container {
	if p == nil {
		return nil
	}
	for _, c := range p.Containers {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Previous returns the newest start before the latest one.
func (p *Pod) Previous(name string) *Container {
	seen := false
	for _, c := range p.Containers {
		if c.Name == name && seen {
			return c
		}
		seen = seen || c.Name == name
	}
	return nil
}

// Alive lists containers that run or may run.
func (p *Pod) Alive() []*Container {
	var alive []*Container
	for _, c := range p.Containers {
		if c.State == Running || c.State == Unknown {
			alive = append(alive, c)
		}
	}
	return alive
}

// Observe reads one pod.
func (c *Client) Observe(ctx context.Context, uid string) (*Pod, error) {
	selector := map[string]string{LabelPodUID: uid}
	sandboxes, err := c.ListPodSandbox(ctx, &runtimeapi.PodSandboxFilter{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list the sandboxes of pod %s: %w", uid, err)
	}
	containers, err := c.ListContainers(ctx, &runtimeapi.ContainerFilter{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list the containers of pod %s: %w", uid, err)
	}
	pod := &Pod{UID: uid}
	slices.SortFunc(sandboxes, func(a, b *runtimeapi.PodSandbox) int { return cmp.Compare(b.CreatedAt, a.CreatedAt) })
	for i, s := range sandboxes {
		pod.Name, pod.Namespace = s.GetMetadata().GetName(), s.GetMetadata().GetNamespace()
		pod.Sandboxes = append(pod.Sandboxes, c.sandbox(ctx, s, i == 0))
	}
	slices.SortFunc(containers, func(a, b *runtimeapi.Container) int { return cmp.Compare(b.CreatedAt, a.CreatedAt) })
	for _, listed := range containers {
		seen, err := c.container(ctx, listed)
		if err != nil {
			return nil, err
		}
		if seen != nil {
			pod.Containers = append(pod.Containers, seen)
		}
	}
	return pod, nil
}

// sandbox reads a sandbox's addresses only when they can matter: they are those of the newest one.
func (c *Client) sandbox(ctx context.Context, s *runtimeapi.PodSandbox, newest bool) *Sandbox {
	seen := &Sandbox{
		ID: s.Id, Attempt: s.GetMetadata().GetAttempt(), Created: time.Unix(0, s.CreatedAt),
		Ready: s.State == runtimeapi.PodSandboxState_SANDBOX_READY,
	}
	if !newest {
		return seen
	}
	response, err := c.PodSandboxStatus(ctx, s.Id, false)
	if err != nil {
		seen.Ready = false
		return seen
	}
	status := response.Status
	seen.Ready = status.State == runtimeapi.PodSandboxState_SANDBOX_READY
	seen.Network = status.GetLinux().GetNamespaces().GetOptions().GetNetwork()
	if ip := status.GetNetwork().GetIp(); ip != "" {
		seen.IPs = append(seen.IPs, ip)
	}
	for _, more := range status.GetNetwork().GetAdditionalIps() {
		seen.IPs = append(seen.IPs, more.Ip)
	}
	return seen
}

// container reads one container; nil when it vanished meanwhile.
func (c *Client) container(ctx context.Context, listed *runtimeapi.Container) (*Container, error) {
	if known := c.exited.get(listed.Id); known != nil {
		return known, nil
	}
	response, err := c.ContainerStatus(ctx, listed.Id, false)
	if err != nil {
		if IsNotFound(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("status of container %s: %w", listed.Id, err)
	}
	seen := describe(response.Status, listed.PodSandboxId)
	seen.Runtime = c.Name
	if seen.State == Exited {
		seen.Message = c.terminationMessage(ctx, seen, seen.Message)
		c.exited.put(seen)
	}
	return seen, nil
}

func describe(s *runtimeapi.ContainerStatus, sandbox string) *Container {
	seen := &Container{
		ID: s.Id, Name: s.Labels[LabelContainerName], SandboxID: sandbox, State: s.State, ExitCode: s.ExitCode, Reason: s.Reason, Message: s.Message,
		Created: stamp(s.CreatedAt), Started: stamp(s.StartedAt), Finished: stamp(s.FinishedAt),
		Image: s.GetImage().GetImage(), ImageRef: s.ImageRef, ImageID: s.ImageId, LogPath: s.LogPath, User: s.User,
		Resources: s.GetResources().GetLinux(), StopSignal: s.StopSignal, annotations: s.Annotations, labels: s.Labels,
	}
	if spec := s.GetImage().GetUserSpecifiedImage(); seen.Image == "" {
		seen.Image = spec
	}
	seen.Hash, _ = strconv.ParseUint(s.Annotations[annotationHash], 16, 64)
	restarts, _ := strconv.ParseInt(s.Annotations[annotationRestartCount], 10, 32)
	seen.Restarts = int32(restarts)
	seen.Grace, _ = strconv.ParseInt(s.Annotations[annotationGrace], 10, 64)
	for _, m := range s.Mounts {
		if m.ContainerPath == s.Annotations[annotationMessagePath] {
			seen.terminationMessageHostPath = m.HostPath
		}
	}
	return seen
}

func stamp(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// exitedCache keeps statuses that can no longer change.
type exitedCache struct {
	mu sync.Mutex
	by map[string]*Container
}

func (e *exitedCache) get(id string) *Container {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.by[id]
}

func (e *exitedCache) put(c *Container) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.by == nil {
		e.by = map[string]*Container{}
	}
	e.by[c.ID] = c
}

func (e *exitedCache) drop(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.by, id)
}

// UIDs lists every pod that the runtime has something of, with name and namespace.
func (c *Client) UIDs(ctx context.Context) (map[string]*Pod, error) {
	sandboxes, err := c.ListPodSandbox(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("list sandboxes: %w", err)
	}
	pods := map[string]*Pod{}
	for _, s := range sandboxes {
		m := s.GetMetadata()
		if s.Labels[LabelPodUID] == "" {
			continue // made by something else than a kubelet
		}
		pods[m.GetUid()] = &Pod{UID: m.GetUid(), Name: m.GetName(), Namespace: m.GetNamespace()}
	}
	return pods, nil
}
