package engine

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Behind returns the container that host:port leads to: the one that has that address, or that publishes that port on this machine.
func Behind(ctx context.Context, docker client.APIClient, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	list, err := docker.ContainerList(ctx, client.ContainerListOptions{})
	if err != nil {
		return "", fmt.Errorf("list containers: %w", err)
	}
	for _, c := range list.Items {
		if len(c.Names) > 0 && (has(c, host) || publishes(c, host, port)) {
			return strings.TrimPrefix(c.Names[0], "/"), nil
		}
	}
	return "", fmt.Errorf("no container of this engine has the address %s", address)
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

func publishes(c container.Summary, host, port string) bool {
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return false
	}
	for _, p := range c.Ports {
		if fmt.Sprint(p.PublicPort) == port {
			return true
		}
	}
	return false
}
