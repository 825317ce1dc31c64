package engine

import (
	"context"

	"github.com/moby/moby/api/types/container"
)

// Processes of a component, by the helper.
func (c *Control) Processes(ctx context.Context, node, component string) ([]int, error) {
	return c.say(amongProcesses).Processes(ctx, node, component)
}

// Stopped are those in state T.
func (c *Control) Stopped(ctx context.Context, node, component string) ([]int, error) {
	return c.say(amongProcesses).Stopped(ctx, node, component)
}

// Signal sends the signal by the helper.
func (c *Control) Signal(ctx context.Context, node, component string, signal int) ([]int, error) {
	return c.say(amongProcesses).Signal(ctx, node, component, signal)
}

// amongProcesses joins the node's process namespace, and may signal there.
func amongProcesses(h *container.HostConfig, id string) {
	h.PidMode, h.NetworkMode, h.CapAdd = container.PidMode("container:"+id), "none", []string{"KILL", "SYS_PTRACE"}
}
