package engine

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/cluster/words"
)

// Cut drops what comes from the other's hardware address and what goes to its address as next hop: so packets of pods are lost too. Both
// addresses are those of this moment, and the cut is lost with the node's network namespace: when the node stops.
func (c *Control) Cut(ctx context.Context, node string, edges ...cluster.Edge) error {
	if len(edges) == 0 {
		return nil
	}
	said := []string{"cut"}
	for _, e := range edges {
		seen, err := c.endpoint(ctx, node, e.Other)
		if err != nil {
			return fmt.Errorf("cut %s off from %s: %w", node, e.Other, err)
		}
		var from, to string
		if e.In {
			from = seen.MacAddress.String()
		}
		if e.Out {
			to = seen.IPAddress.String()
		}
		said = append(said, strings.Join([]string{e.Other, from, to}, ","))
	}
	_, err := c.beside(ctx, node, said...)
	return err
}

// endpoint is the other's attachment to a network that the node has, too.
func (c *Control) endpoint(ctx context.Context, node, other string) (*network.EndpointSettings, error) {
	own, err := c.networks(ctx, node)
	if err != nil {
		return nil, err
	}
	others, err := c.networks(ctx, other)
	if err != nil {
		return nil, err
	}
	for name, e := range others {
		if _, shared := own[name]; shared && len(e.MacAddress) > 0 && e.IPAddress.IsValid() {
			return e, nil
		}
	}
	return nil, fmt.Errorf("%s has no address on a network of %s: does it run?", other, node)
}

func (c *Control) networks(ctx context.Context, node string) (map[string]*network.EndpointSettings, error) {
	id, err := c.container(node)
	if node == cluster.Balancer {
		id, err = c.balancer()
	}
	if err != nil {
		return nil, err
	}
	inspected, err := c.cfg.Docker.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, err
	}
	return inspected.Container.NetworkSettings.Networks, nil
}

func (c *Control) balancer() (string, error) {
	if c.cfg.Balancer == "" {
		return "", fmt.Errorf("which container the balancer is was not said: %w", cluster.ErrUnsupported)
	}
	return c.cfg.Balancer, nil
}

// Mend removes the helper's table.
func (c *Control) Mend(ctx context.Context, node string) error {
	if s, err := c.State(ctx, node); err == nil && !s.Running {
		return nil // its network namespace, and all that was cut in it, is gone
	}
	_, err := c.beside(ctx, node, "mend")
	return err
}

// Dropped reads the counters.
func (c *Control) Dropped(ctx context.Context, node string) (map[string]uint64, error) {
	return words.Say(c.beside).Dropped(ctx, node)
}

// Dial connects from the node's network namespace.
func (c *Control) Dial(ctx context.Context, node, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("dial from %s: %w", node, err)
	}
	if host == cluster.Balancer {
		seen, err := c.endpoint(ctx, node, host)
		if err != nil {
			return fmt.Errorf("dial from %s: %w", node, err)
		}
		address = net.JoinHostPort(seen.IPAddress.String(), port)
	}
	return words.Say(c.beside).Dial(ctx, node, address)
}

// Fetch asks from there.
func (c *Control) Fetch(ctx context.Context, node, url string) ([]byte, error) {
	return words.Say(c.beside).Fetch(ctx, node, url)
}
