package containers

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"
)

// Delete removes every container, network and volume that bears the cluster's label. Deleting what does not exist is no error.
func (p *Provider) Delete(ctx context.Context, name string) error {
	list, err := p.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: byCluster(name)})
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	// One that can't be removed keeps no other: what Delete has not done is left on the machine.
	var all errgroup.Group
	for _, c := range list.Items {
		all.Go(func() error { return p.remove(ctx, c.ID) })
	}
	if err := all.Wait(); err != nil {
		return fmt.Errorf("remove containers of %s: %w", name, err)
	}
	networks, err := p.docker.NetworkList(ctx, client.NetworkListOptions{Filters: byCluster(name)})
	if err != nil {
		return fmt.Errorf("list networks: %w", err)
	}
	for _, n := range networks.Items {
		if _, err := p.docker.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{}); err != nil {
			return fmt.Errorf("remove network %s: %w", n.Name, err)
		}
	}
	return nil
}

// remove returns when the container is gone, whoever removed it: a fault helper that stays ends with its node, and is then removed by the engine.
func (p *Provider) remove(ctx context.Context, id string) error {
	_, err := p.docker.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if errdefs.IsConflict(err) {
		wait := p.docker.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
		select {
		case <-wait.Result:
			return nil
		case err = <-wait.Error:
		}
	}
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
