package containers

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/moby/moby/client"

	"github.com/plumb-k8s/plumb/conformance/cluster/residue"
)

// Trace is what is to be known of a cluster before its removal, to tell afterwards what is left of it.
type Trace struct {
	name    string
	before  residue.Snapshot
	marks   []string
	volumes []string
}

// Before remembers the machine as it is before a cluster of that name is booted.
func Before(name string) *Trace {
	return &Trace{name: name, before: residue.Look("/proc", "/sys/fs/cgroup")}
}

// Name of the cluster.
func (t *Trace) Name() string { return t.name }

// Mark notes what the cluster's parts are called; call it just before their removal.
func (p *Provider) Mark(ctx context.Context, t *Trace) error {
	list, err := p.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: byCluster(t.name)})
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	for _, c := range list.Items {
		inspected, err := p.docker.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
		if err != nil {
			return fmt.Errorf("inspect %s: %w", c.ID, err)
		}
		t.marks = append(t.marks, c.ID)
		if key := inspected.Container.NetworkSettings.SandboxKey; key != "" {
			t.marks = append(t.marks, filepath.Base(key))
		}
		if g := inspected.Container.GraphDriver; g != nil && g.Data["MergedDir"] != "" {
			t.marks = append(t.marks, g.Data["MergedDir"])
		}
		for _, m := range inspected.Container.Mounts {
			if m.Name != "" {
				t.volumes = append(t.volumes, m.Name)
			}
		}
	}
	networks, err := p.docker.NetworkList(ctx, client.NetworkListOptions{Filters: byCluster(t.name)})
	if err != nil {
		return fmt.Errorf("list networks: %w", err)
	}
	for _, n := range networks.Items {
		t.marks = append(t.marks, n.ID, "br-"+n.ID[:12])
	}
	t.marks = append(t.marks, t.volumes...)
	return nil
}

// settle is how long the kernel and the engine may take to let go of what was removed.
const settle = 5 * time.Second

// Left returns a line for everything of the cluster that is still there after its removal.
func (p *Provider) Left(ctx context.Context, t *Trace) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	tick := time.NewTicker(settle / 20)
	defer tick.Stop()
	for {
		left, err := p.left(ctx, t)
		if err != nil {
			return nil, err
		}
		left = append(left, residue.Left(t.before, residue.Look("/proc", "/sys/fs/cgroup"), t.marks)...)
		if len(left) == 0 {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return left, nil
		case <-tick.C:
		}
	}
}

// left is what the engine still knows.
func (p *Provider) left(ctx context.Context, t *Trace) (left []string, err error) {
	ctx = context.WithoutCancel(ctx) // the last look is as good as the first
	containers, err := p.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: byCluster(t.name)})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	for _, c := range containers.Items {
		left = append(left, fmt.Sprintf("container: %v", c.Names))
	}
	networks, err := p.docker.NetworkList(ctx, client.NetworkListOptions{Filters: byCluster(t.name)})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", err)
	}
	for _, n := range networks.Items {
		left = append(left, "network: "+n.Name)
	}
	volumes, err := p.docker.VolumeList(ctx, client.VolumeListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	for _, v := range volumes.Items {
		if slices.Contains(t.volumes, v.Name) {
			left = append(left, "volume: "+v.Name)
		}
	}
	return left, nil
}
