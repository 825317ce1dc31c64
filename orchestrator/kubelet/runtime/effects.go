package runtime

import (
	"context"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// What a call makes or removes is not cancelled with the wish for it: containerd would end a container whose start is cancelled with code 128
// and "context canceled", as if the container had failed, and leave half a sandbox behind. Such a call ends in its own time, which callTimeout
// bounds, and whoever changed its mind then stops what came of it. Calls that wait by nature stay cancellable: StopContainer, whose grace may be
// shortened, ExecSync, and PullImage, of which nothing is left. What is made here is made by the node's Rules.

// RunPodSandbox makes a sandbox, whatever becomes of ctx.
func (c *Client) RunPodSandbox(ctx context.Context, config *runtimeapi.PodSandboxConfig, handler string) (string, error) {
	c.rules.sandbox(config.GetLinux())
	return c.RuntimeService.RunPodSandbox(context.WithoutCancel(ctx), config, handler)
}

// StopPodSandbox stops a sandbox, whatever becomes of ctx.
func (c *Client) StopPodSandbox(ctx context.Context, id string) error {
	return c.RuntimeService.StopPodSandbox(context.WithoutCancel(ctx), id)
}

// RemovePodSandbox removes a sandbox, whatever becomes of ctx.
func (c *Client) RemovePodSandbox(ctx context.Context, id string) error {
	return c.RuntimeService.RemovePodSandbox(context.WithoutCancel(ctx), id)
}

// CreateContainer makes a container, whatever becomes of ctx.
func (c *Client) CreateContainer(ctx context.Context, sandbox string, config *runtimeapi.ContainerConfig, in *runtimeapi.PodSandboxConfig) (string, error) {
	c.rules.resources(config.GetLinux().GetResources())
	return c.RuntimeService.CreateContainer(context.WithoutCancel(ctx), sandbox, config, in)
}

// StartContainer starts a container, whatever becomes of ctx.
func (c *Client) StartContainer(ctx context.Context, id string) error {
	return c.RuntimeService.StartContainer(context.WithoutCancel(ctx), id)
}

// RemoveContainer removes a container, whatever becomes of ctx.
func (c *Client) RemoveContainer(ctx context.Context, id string) error {
	return c.RuntimeService.RemoveContainer(context.WithoutCancel(ctx), id)
}

// UpdateContainerResources resizes a container, whatever becomes of ctx.
func (c *Client) UpdateContainerResources(ctx context.Context, id string, resources *runtimeapi.ContainerResources) error {
	c.rules.resources(resources.GetLinux())
	return c.RuntimeService.UpdateContainerResources(context.WithoutCancel(ctx), id, resources)
}
