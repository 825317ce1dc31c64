package engine

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/plumb-k8s/plumb/conformance/cluster/words"
)

// helper is one run of the fault image.
type helper struct {
	words []string
	// host joins the container to namespaces of the node, whose container is id.
	host func(h *container.HostConfig, id string)
}

// creation is how long the engine may take to make a helper's container.
const creation = 30 * time.Second

// inNetwork joins the node's network namespace, and may program it.
func inNetwork(h *container.HostConfig, id string) {
	h.NetworkMode, h.CapAdd = container.NetworkMode("container:"+id), []string{"NET_ADMIN"}
}

// say has the helper run in namespaces of nodes.
func (c *Control) say(host func(h *container.HostConfig, id string)) words.Say {
	return func(ctx context.Context, node string, said ...string) (string, error) {
		return c.run(ctx, node, helper{words: said, host: host})
	}
}

// run runs the helper on a node and returns what it printed.
func (c *Control) run(ctx context.Context, node string, h helper) (string, error) {
	id, err := c.container(node)
	if err != nil {
		return "", err
	}
	docker, host := c.cfg.Docker, &container.HostConfig{}
	h.host(host, id)
	// A creation that is given up may leave a container all the same, of which nobody knows the name.
	creating, cancel := context.WithTimeout(context.WithoutCancel(ctx), creation)
	defer cancel()
	created, err := docker.ContainerCreate(creating, client.ContainerCreateOptions{
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
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return out, words.Answer(what, int(code), complaint)
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
