package engine

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Behind returns the container that host:port leads to, and its own port there: the one that has that address, or that publishes that port on this
// machine.
func Behind(ctx context.Context, docker client.APIClient, address string) (name, port string, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", "", err
	}
	list, err := docker.ContainerList(ctx, client.ContainerListOptions{})
	if err != nil {
		return "", "", fmt.Errorf("list containers: %w", err)
	}
	for _, c := range list.Items {
		if len(c.Names) == 0 {
			continue
		}
		name := strings.TrimPrefix(c.Names[0], "/")
		if has(c, host) {
			return name, port, nil
		}
		if inside := publishes(c, host, port); inside != "" {
			return name, inside, nil
		}
	}
	return "", "", fmt.Errorf("no container of this engine has the address %s", address)
}

func has(c container.Summary, host string) bool {
	if c.NetworkSettings == nil {
		return false
	}
	for _, n := range c.NetworkSettings.Networks {
		if n.IPAddress.String() == host {
			return true
		}
	}
	return false
}

// publishes is the port of a container that a port of this machine leads to; empty when it leads elsewhere.
func publishes(c container.Summary, host, port string) string {
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return ""
	}
	for _, p := range c.Ports {
		if fmt.Sprint(p.PublicPort) == port {
			return fmt.Sprint(p.PrivatePort)
		}
	}
	return ""
}
