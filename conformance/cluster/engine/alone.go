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

// creation is how long the engine may take to make a helper's container.
const creation = 30 * time.Second

// onDisk joins the node's process namespace, and may enter its mounts from there.
func onDisk(id string) *container.HostConfig {
	return &container.HostConfig{
		PidMode: container.PidMode("container:" + id), NetworkMode: "none", SecurityOpt: []string{"apparmor=unconfined"},
		CapAdd: []string{"KILL", "SYS_PTRACE", "SYS_ADMIN", "SYS_CHROOT", "CHOWN", "FOWNER", "DAC_OVERRIDE"},
	}
}

// alone is a words.Say: a helper that carries out one thing, and is gone. It may change its own mounts, and may more than one that stays.
func (c *Control) alone(ctx context.Context, node string, said ...string) (string, error) {
	id, err := c.container(node)
	if err != nil {
		return "", err
	}
	helper, err := c.create(ctx, &container.Config{Cmd: said}, onDisk(id))
	if err != nil {
		return "", fmt.Errorf("fault helper on %s: %w", node, err)
	}
	defer c.remove(ctx, helper)
	if _, err := c.cfg.Docker.ContainerStart(ctx, helper, client.ContainerStartOptions{}); err != nil {
		return "", fmt.Errorf("fault helper on %s: %w", node, err)
	}
	code, err := c.exited(ctx, helper)
	if err != nil {
		return "", fmt.Errorf("fault helper on %s: %w", node, err)
	}
	out, complaint, err := c.output(ctx, helper)
	what := strings.Join(said, " ") + " on " + node
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return out, words.Answer(what, int(code), complaint)
}

// create makes a helper's container. A creation that is given up may leave one all the same, of which nobody knows the name: it is waited for.
func (c *Control) create(ctx context.Context, cfg *container.Config, host *container.HostConfig) (id string, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), creation)
	defer cancel()
	cfg.Image, cfg.Labels = c.cfg.FaultImage, c.cfg.Labels
	created, err := c.cfg.Docker.ContainerCreate(ctx, client.ContainerCreateOptions{Config: cfg, HostConfig: host})
	return created.ID, err
}

func (c *Control) remove(ctx context.Context, helper string) {
	_, _ = c.cfg.Docker.ContainerRemove(context.WithoutCancel(ctx), helper, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
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
