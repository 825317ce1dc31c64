package containers

import (
	"context"
	"fmt"

	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"
)

// Delete removes every container, network and volume that bears the cluster's label. Deleting what does not exist is no error.
func (p *Provider) Delete(ctx context.Context, name string) error {
	list, err := p.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: byCluster(name)})
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	all, gctx := errgroup.WithContext(ctx)
	for _, c := range list.Items {
		all.Go(func() error {
			_, err := p.docker.ContainerRemove(gctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			return err
		})
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
