package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Exit codes of the helper (fixtures/images/fault).
const exitNo = 1

// errNo is the helper's answer no.
var errNo = errors.New("no")

// helper is one run of the fault image.
type helper struct {
	words []string
	// host joins the container to namespaces of the node, whose container is id.
	host func(h *container.HostConfig, id string)
}

// inNetwork joins the node's network namespace, and may program it.
func inNetwork(h *container.HostConfig, id string) {
	h.NetworkMode, h.CapAdd = container.NetworkMode("container:"+id), []string{"NET_ADMIN"}
}

// amongProcesses joins the node's process namespace, and may signal there.
func amongProcesses(h *container.HostConfig, id string) {
	h.PidMode, h.NetworkMode, h.CapAdd = container.PidMode("container:"+id), "none", []string{"KILL", "SYS_PTRACE"}
}

// run runs the helper on a node and returns what it printed.
func (c *Control) run(ctx context.Context, node string, h helper) (string, error) {
	id, err := c.container(node)
	if err != nil {
		return "", err
	}
	docker, host := c.cfg.Docker, &container.HostConfig{}
	h.host(host, id)
	created, err := docker.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{Image: c.cfg.FaultImage, Cmd: h.words, Labels: c.cfg.Labels}, HostConfig: host,
	})
	if err != nil {
		return "", fmt.Errorf("fault helper on %s: %w", node, err)
	}
	defer func() {
		_, _ = docker.ContainerRemove(context.WithoutCancel(ctx), created.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	}()
	if _, err := docker.ContainerStart(ctx, created.ID, client.ContainerStartOptions{}); err != nil {
		return "", fmt.Errorf("fault helper on %s: %w", node, err)
	}
	code, err := c.exited(ctx, created.ID)
	if err != nil {
		return "", fmt.Errorf("fault helper on %s: %w", node, err)
	}
	out, complaint, err := c.output(ctx, created.ID)
	what := strings.Join(h.words, " ") + " on " + node
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", what, err)
	case code == exitNo:
		return "", fmt.Errorf("%s: %w: %s", what, errNo, complaint)
	case code != 0:
		return "", fmt.Errorf("%s: exit code %d: %s", what, code, complaint)
	}
	return out, nil
}

func (c *Control) exited(ctx context.Context, id string) (int64, error) {
	wait := c.cfg.Docker.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case err := <-wait.Error:
		return 0, err
	case result := <-wait.Result:
		return result.StatusCode, nil
	}
}

func (c *Control) output(ctx context.Context, id string) (out, complaint string, err error) {
	logs, err := c.cfg.Docker.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return "", "", err
	}
	defer logs.Close()
	var stdout, stderr bytes.Buffer
	_, err = stdcopy.StdCopy(&stdout, &stderr, logs)
	return stdout.String(), strings.TrimSpace(stderr.String()), err
}
