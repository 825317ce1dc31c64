package containers

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"

	"github.com/moby/moby/client"
)

// Flags are the extraArgs that the cluster was booted with, by component, as its balancer's description keeps them.
func (c *Cluster) Flags(ctx context.Context) (map[string]map[string]string, error) {
	copied, err := c.provider.docker.CopyFromContainer(ctx, c.name+"-balancer", client.CopyFromContainerOptions{SourcePath: descriptionPath})
	if err != nil {
		return nil, fmt.Errorf("description of cluster %s: %w", c.name, err)
	}
	defer copied.Content.Close()
	archive := tar.NewReader(copied.Content)
	if _, err := archive.Next(); err != nil {
		return nil, fmt.Errorf("description of cluster %s: %w", c.name, err)
	}
	var d description
	if err := json.NewDecoder(archive).Decode(&d); err != nil {
		return nil, fmt.Errorf("description of cluster %s: %w", c.name, err)
	}
	return d.ExtraArgs, nil
}
