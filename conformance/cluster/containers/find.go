package containers

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/moby/moby/client"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// List returns the names of the clusters that this engine runs.
func (p *Provider) List(ctx context.Context) ([]string, error) {
	filter := make(client.Filters).Add("label", clusterLabel)
	list, err := p.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	seen := map[string]bool{}
	var names []string
	for _, c := range list.Items {
		if name := c.Labels[clusterLabel]; !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

// Find returns a cluster that was booted before, by this process or another.
func (p *Provider) Find(ctx context.Context, name, faultImage string) (*Cluster, error) {
	list, err := p.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: byCluster(name)})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	c := &Cluster{provider: p, name: name, faultImage: faultImage}
	for _, item := range list.Items {
		role := item.Labels[roleLabel]
		if role != cluster.ControlPlane && role != cluster.Worker {
			continue
		}
		address := item.NetworkSettings.Networks[networkName(name)].IPAMConfig.IPv4Address
		c.nodes = append(c.nodes, cluster.Node{Name: strings.TrimPrefix(item.Names[0], "/"), Role: role, Address: address.String()})
	}
	if len(c.nodes) == 0 {
		return nil, fmt.Errorf("there is no cluster %q: plumb cluster list shows what there is", name)
	}
	sort.Slice(c.nodes, func(i, j int) bool { return c.nodes[i].Name < c.nodes[j].Name })
	c.kubeconfig, err = p.storedKubeconfig(ctx, name)
	return c, err
}

// storedKubeconfig reads the administrator's kubeconfig back from the balancer's container, so that no state is kept on this machine.
func (p *Provider) storedKubeconfig(ctx context.Context, name string) ([]byte, error) {
	copied, err := p.docker.CopyFromContainer(ctx, name+"-balancer", client.CopyFromContainerOptions{SourcePath: kubeconfigPath})
	if err != nil {
		return nil, fmt.Errorf("fetch the kubeconfig of %s: %w", name, err)
	}
	defer copied.Content.Close()
	archive := tar.NewReader(copied.Content)
	if _, err := archive.Next(); err != nil {
		return nil, fmt.Errorf("fetch the kubeconfig of %s: %w", name, err)
	}
	data, err := io.ReadAll(archive)
	if err != nil {
		return nil, fmt.Errorf("fetch the kubeconfig of %s: %w", name, err)
	}
	server, err := p.publishedAPI(ctx, name)
	if err != nil {
		return nil, err
	}
	return withServer(data, server)
}
