// Package engine is node control over containers of one Docker Engine: cluster.Control for the clusters that package containers boots, and for
// any other whose nodes are containers here (package existing).
//
// It is fed the names of the nodes' containers. What the engine's API cannot do - signals, packets, disks - a helper container does from within
// the node's namespaces (the fault image of CONTRACT.md), one container per action, gone afterwards.
package engine

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/moby/moby/client"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// Config names what is controlled.
type Config struct {
	Docker client.APIClient
	// Containers by node.
	Containers map[string]string
	// Balancer is the container before the apiservers; empty when it is not known.
	Balancer string
	// FaultImage is the helper.
	FaultImage string
	// Labels of the helpers' containers.
	Labels map[string]string
}

// Control is cluster.Control by an engine's API.
type Control struct {
	cluster.Unsupported
	cfg Config

	mu sync.Mutex
	// posts by node.
	posts map[string]*post
}

var _ cluster.Control = (*Control)(nil)

// New returns the control of the nodes that cfg names.
func New(cfg Config) *Control { return &Control{cfg: cfg, posts: map[string]*post{}} }

// Check finds every node's container, the balancer's and the helper's image, and says what is not there.
func (c *Control) Check(ctx context.Context) error {
	for _, node := range slices.Sorted(maps.Keys(c.cfg.Containers)) {
		if err := c.exists(ctx, c.cfg.Containers[node]); err != nil {
			return fmt.Errorf("node %s: %w", node, err)
		}
	}
	if c.cfg.Balancer != "" {
		if err := c.exists(ctx, c.cfg.Balancer); err != nil {
			return fmt.Errorf("balancer: %w", err)
		}
	}
	if _, err := c.cfg.Docker.ImageInspect(ctx, c.cfg.FaultImage); err != nil {
		return fmt.Errorf("the helper's image %s is not in the engine: %w", c.cfg.FaultImage, err)
	}
	return nil
}

func (c *Control) exists(ctx context.Context, container string) error {
	if _, err := c.cfg.Docker.ContainerInspect(ctx, container, client.ContainerInspectOptions{}); err != nil {
		return fmt.Errorf("no container %q in this engine: %w", container, err)
	}
	return nil
}

func (c *Control) container(node string) (string, error) {
	if id, ok := c.cfg.Containers[node]; ok {
		return id, nil
	}
	return "", fmt.Errorf("%s: %w", node, cluster.ErrNoSuchNode)
}

// on runs one engine call on a node.
func (c *Control) on(node, what string, call func(id string) error) error {
	id, err := c.container(node)
	if err != nil {
		return err
	}
	if err := call(id); err != nil {
		return fmt.Errorf("%s node %s: %w", what, node, err)
	}
	return nil
}

// Logs is /var/log of the node as the engine's tar stream; it works on stopped nodes too.
func (c *Control) Logs(ctx context.Context, node string, to io.Writer) error {
	return c.on(node, "logs of", func(id string) error {
		copied, err := c.cfg.Docker.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: "/var/log"})
		if err != nil {
			return err
		}
		defer copied.Content.Close()
		_, err = io.Copy(to, copied.Content)
		return err
	})
}
