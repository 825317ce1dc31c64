package containers

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/moby/client"

	"github.com/plumb-k8s/plumb/conformance/cluster/kindconfig"
	"github.com/plumb-k8s/plumb/conformance/cluster/preflight"
)

// Preflight returns a line for everything that this machine or its engine lacks for a cluster of that shape.
func (p *Provider) Preflight(ctx context.Context, shape *kindconfig.Cluster) ([]string, error) {
	version, err := p.docker.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return nil, fmt.Errorf("docker engine: %w (is it running, and may this user reach it?)", err)
	}
	info, err := p.docker.Info(ctx, client.InfoOptions{})
	if err != nil {
		return nil, fmt.Errorf("docker engine: %w", err)
	}
	local := strings.HasPrefix(p.docker.DaemonHost(), "unix:")
	controlPlanes, workers := shape.Roles()
	facts := preflight.Look(version.APIVersion, local, info.Info.DockerRootDir, "/proc", "/sys")
	return preflight.Missing(facts, preflight.Shape{ControlPlanes: controlPlanes, Workers: workers}), nil
}
