package containers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// control is cluster.Control by the engine's API.
type control struct {
	cluster.Unsupported
	*Cluster
}

func (c *control) id(node string) (string, error) {
	for _, n := range c.nodes {
		if n.Name == node {
			return n.Name, nil
		}
	}
	return "", fmt.Errorf("%s: %w", node, cluster.ErrNoSuchNode)
}

// on runs one engine call on a node.
func (c *control) on(node, what string, call func(id string) error) error {
	id, err := c.id(node)
	if err != nil {
		return err
	}
	if err := call(id); err != nil {
		return fmt.Errorf("%s node %s: %w", what, node, err)
	}
	return nil
}

func (c *control) Stop(ctx context.Context, node string) error {
	return c.on(node, "stop", func(id string) error {
		_, err := c.provider.docker.ContainerStop(ctx, id, client.ContainerStopOptions{})
		return err
	})
}

func (c *control) Kill(ctx context.Context, node string) error {
	return c.on(node, "kill", func(id string) error {
		_, err := c.provider.docker.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "KILL"})
		return err
	})
}

func (c *control) Start(ctx context.Context, node string) error {
	return c.on(node, "start", func(id string) error {
		_, err := c.provider.docker.ContainerStart(ctx, id, client.ContainerStartOptions{})
		return err
	})
}

func (c *control) Pause(ctx context.Context, node string) error {
	return c.on(node, "pause", func(id string) error {
		_, err := c.provider.docker.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	})
}

func (c *control) Unpause(ctx context.Context, node string) error {
	return c.on(node, "unpause", func(id string) error {
		_, err := c.provider.docker.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return err
	})
}

func (c *control) State(ctx context.Context, node string) (cluster.State, error) {
	id, err := c.id(node)
	if err != nil {
		return cluster.State{}, err
	}
	inspected, err := c.provider.docker.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return cluster.State{}, fmt.Errorf("inspect node %s: %w", node, err)
	}
	s := inspected.Container.State
	return cluster.State{Running: s.Running, Paused: s.Paused, ExitCode: s.ExitCode, StartedAt: s.StartedAt}, nil
}

func (c *control) Processes(ctx context.Context, node, component string) ([]int, error) {
	return c.fault(ctx, node, "processes", component)
}

func (c *control) Signal(ctx context.Context, node, component string, signal int) ([]int, error) {
	return c.fault(ctx, node, "signal", component, strconv.Itoa(signal))
}

// fault runs the helper in the node's process namespace; it prints the pids it found, one a line.
func (c *control) fault(ctx context.Context, node string, words ...string) ([]int, error) {
	id, err := c.id(node)
	if err != nil {
		return nil, err
	}
	docker := c.provider.docker
	created, err := docker.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:     &container.Config{Image: c.faultImage, Cmd: words, Labels: map[string]string{clusterLabel: c.name, roleLabel: faultRole}},
		HostConfig: &container.HostConfig{PidMode: container.PidMode("container:" + id), NetworkMode: "none", CapAdd: []string{"KILL", "SYS_PTRACE"}},
	})
	if err != nil {
		return nil, fmt.Errorf("fault helper on %s: %w", node, err)
	}
	defer func() {
		_, _ = docker.ContainerRemove(context.WithoutCancel(ctx), created.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	}()
	if _, err := docker.ContainerStart(ctx, created.ID, client.ContainerStartOptions{}); err != nil {
		return nil, fmt.Errorf("fault helper on %s: %w", node, err)
	}
	if err := c.provider.exited(ctx, created.ID); err != nil {
		return nil, fmt.Errorf("%s on %s: %w", strings.Join(words, " "), node, err)
	}
	var pids []int
	for _, line := range strings.Fields(c.provider.output(ctx, created.ID)) {
		pid, err := strconv.Atoi(line)
		if err != nil {
			return nil, fmt.Errorf("fault helper on %s said %q", node, line)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// output is what a container wrote, both streams.
func (p *Provider) output(ctx context.Context, id string) string {
	logs, err := p.docker.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return err.Error()
	}
	defer logs.Close()
	var text bytes.Buffer
	if _, err := stdcopy.StdCopy(&text, &text, logs); err != nil {
		fmt.Fprintf(&text, "(%v)", err)
	}
	return strings.TrimSpace(text.String())
}

// Logs is /var/log of the node as the engine's tar stream; it works on stopped nodes too.
func (c *control) Logs(ctx context.Context, node string, to io.Writer) error {
	return c.on(node, "logs of", func(id string) error {
		copied, err := c.provider.docker.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: "/var/log"})
		if err != nil {
			return err
		}
		defer copied.Content.Close()
		_, err = io.Copy(to, copied.Content)
		return err
	})
}
