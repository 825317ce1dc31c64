package containers

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// Boot makes a cluster and returns when all nodes are Ready and DNS has an endpoint. What it made before a failure is left for the caller to
// look into and Delete.
func (p *Provider) Boot(ctx context.Context, cfg Config) (*Cluster, error) {
	if cfg.ReadyTimeout == 0 {
		cfg.ReadyTimeout = 3 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.ReadyTimeout)
	defer cancel()
	name := cfg.Shape.Name
	phases := newPhases(cfg.Progress)
	if err := p.Delete(ctx, name); err != nil {
		return nil, fmt.Errorf("remove what an earlier run left of cluster %s: %w", name, err)
	}
	net, err := p.createNetwork(ctx, name)
	if err != nil {
		return nil, err
	}
	b := &boot{Provider: p, cfg: cfg, plan: newPlan(cfg, net), pkiMade: make(chan struct{})}
	phases.done("network made")
	if err := b.start(ctx, phases); err != nil {
		return nil, fmt.Errorf("boot cluster %s (time limit %s): %w", name, cfg.ReadyTimeout, err)
	}
	phases.done("containers started")
	c := &Cluster{provider: p, name: name, nodes: b.plan.nodes, kubeconfig: b.kubeconfig, faultImage: cfg.FaultImage}
	if err := waitReady(ctx, c, cfg.Until, phases); err != nil {
		return c, fmt.Errorf("cluster %s is not ready: %w", name, err)
	}
	return c, b.clear(ctx)
}

// boot is one run of Boot.
type boot struct {
	*Provider
	cfg  Config
	plan *plan
	// pki and kubeconfig are read after pkiMade is closed.
	pki        map[string][]file
	kubeconfig []byte
	pkiMade    chan struct{}
	// leftover is the container that made the PKI.
	leftover string
}

// start makes the PKI and all containers at once; those that need the PKI wait for it between their creation and their start.
func (b *boot) start(ctx context.Context, phases *phases) error {
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error {
		if err := b.makePKI(ctx); err != nil {
			return err
		}
		phases.done("PKI made")
		close(b.pkiMade)
		return nil
	})
	all.Go(func() error { return b.startBalancer(ctx) })
	if b.cfg.RegistryImage != "" {
		all.Go(func() error { return b.startRegistry(ctx) })
	}
	for i, n := range b.plan.nodes {
		all.Go(func() error { return b.startNode(ctx, n, b.cfg.Shape.Nodes[b.plan.shapeIndex[i]]) })
	}
	return all.Wait()
}

// clear removes the container that made the PKI.
func (b *boot) clear(ctx context.Context) error {
	_, err := b.docker.ContainerRemove(ctx, b.leftover, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil {
		return fmt.Errorf("remove what made the PKI: %w", err)
	}
	return nil
}

// plan is every name and address of a cluster, decided before the first container.
type plan struct {
	cluster    string
	subnet     netip.Prefix
	nodes      []cluster.Node
	shapeIndex []int
	labels     map[string]map[string]string
	balancer   netip.Addr
	registry   netip.Addr
	// maker is where the container stands that makes the PKI.
	maker netip.Addr
}

// newPlan gives the balancer .2, the registry .3, the maker of the PKI .4, and the nodes .10 and up in a /24; names are kind's.
func newPlan(cfg Config, subnet netip.Prefix) *plan {
	host := func(n byte) netip.Addr {
		b := subnet.Addr().As4()
		b[3] = n
		return netip.AddrFrom4(b)
	}
	p := &plan{cluster: cfg.Shape.Name, subnet: subnet, balancer: host(2), registry: host(3), maker: host(4), labels: map[string]map[string]string{}}
	count := map[string]int{}
	for _, role := range []string{cluster.ControlPlane, cluster.Worker} {
		for i, n := range cfg.Shape.Nodes {
			if n.Role != role {
				continue
			}
			count[role]++
			name := fmt.Sprintf("%s-%s", cfg.Shape.Name, role)
			if count[role] > 1 {
				name += fmt.Sprint(count[role])
			}
			p.labels[name] = n.Labels
			p.shapeIndex = append(p.shapeIndex, i)
			p.nodes = append(p.nodes, cluster.Node{Name: name, Role: role, Address: host(byte(10 + len(p.nodes))).String()})
		}
	}
	return p
}
