package containers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// SaveLogs writes DIR/NODE.tar (the node's /var/log) and DIR/NODE.out (what its PID 1 printed) for every node and the balancer.
// It goes on after a failure and returns all of them.
func (c *Cluster) SaveLogs(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("logs: %w", err)
	}
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, c.saveTar(ctx, n.Name, filepath.Join(dir, n.Name+".tar")), c.saveOutput(ctx, n.Name, dir))
	}
	return errors.Join(append(errs, c.saveOutput(ctx, c.name+"-balancer", dir))...)
}

func (c *Cluster) saveTar(ctx context.Context, node, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("logs of %s: %w", node, err)
	}
	defer f.Close()
	return c.Control().Logs(ctx, node, f)
}

func (c *Cluster) saveOutput(ctx context.Context, container, dir string) error {
	return os.WriteFile(filepath.Join(dir, container+".out"), []byte(c.provider.output(ctx, container)), 0o644)
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
