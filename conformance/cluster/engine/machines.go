package engine

import (
	"context"
	"fmt"

	"github.com/moby/moby/client"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// Stop sends the node's PID 1 a SIGTERM, and SIGKILL when it does not heed that.
func (c *Control) Stop(ctx context.Context, node string) error {
	return c.on(node, "stop", func(id string) error {
		_, err := c.cfg.Docker.ContainerStop(ctx, id, client.ContainerStopOptions{})
		return err
	})
}

// Kill ends everything on the node at once.
func (c *Control) Kill(ctx context.Context, node string) error {
	return c.on(node, "kill", func(id string) error {
		_, err := c.cfg.Docker.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "KILL"})
		return err
	})
}

// Start boots a node that is down.
func (c *Control) Start(ctx context.Context, node string) error {
	return c.on(node, "start", func(id string) error {
		_, err := c.cfg.Docker.ContainerStart(ctx, id, client.ContainerStartOptions{})
		return err
	})
}

// Pause freezes the node's processes.
func (c *Control) Pause(ctx context.Context, node string) error {
	return c.on(node, "pause", func(id string) error {
		_, err := c.cfg.Docker.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	})
}

// Unpause lets them go on.
func (c *Control) Unpause(ctx context.Context, node string) error {
	return c.on(node, "unpause", func(id string) error {
		_, err := c.cfg.Docker.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return err
	})
}

// State is what the engine knows of the container.
func (c *Control) State(ctx context.Context, node string) (cluster.State, error) {
	id, err := c.container(node)
	if err != nil {
		return cluster.State{}, err
	}
	inspected, err := c.cfg.Docker.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return cluster.State{}, fmt.Errorf("inspect node %s: %w", node, err)
	}
	s := inspected.Container.State
	return cluster.State{Running: s.Running, Paused: s.Paused, ExitCode: s.ExitCode, StartedAt: s.StartedAt}, nil
}
