package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// Partition cuts node off along the given edges; healing mends all of them. Its witness: nothing opens a connection across a cut edge, one opens
// along an edge that is not cut (to us, where all are), and every cut edge has lost packets.
func Partition(c cluster.Cluster, node string, edges ...cluster.Edge) Fault {
	p := &partition{nodes: c.Nodes(), balancer: net.JoinHostPort(cluster.Balancer, c.BalancerPort()), control: c.Control(), node: node, edges: edges}
	return Fault{
		Name:    "partition " + node + " " + describe(edges),
		Setup:   p.setup,
		Inject:  func(ctx context.Context) error { return p.control.Cut(ctx, node, edges...) },
		Heal:    func(ctx context.Context) error { return p.control.Mend(ctx, node) },
		Witness: p.witness,
		Healed:  p.healed,
	}
}

// Isolate cuts both directions between node and each of others.
func Isolate(c cluster.Cluster, node string, others ...string) Fault {
	return Partition(c, node, toward(others, cluster.Edge{In: true, Out: true})...)
}

// Deafen cuts what comes to node from each of others: it goes on talking and hears no answer.
func Deafen(c cluster.Cluster, node string, others ...string) Fault {
	return Partition(c, node, toward(others, cluster.Edge{In: true})...)
}

// Mute cuts what node sends to each of others: it hears them and is not heard.
func Mute(c cluster.Cluster, node string, others ...string) Fault {
	return Partition(c, node, toward(others, cluster.Edge{Out: true})...)
}

// toward are edges to each of others, cut in the same direction.
func toward(others []string, direction cluster.Edge) (edges []cluster.Edge) {
	for _, o := range others {
		direction.Other = o
		edges = append(edges, direction)
	}
	return edges
}

// Others are the names of all nodes but one, and of the balancer: isolated from them, a node is alone.
func Others(c cluster.Cluster, node string) (all []string) {
	for _, n := range c.Nodes() {
		if n.Name != node {
			all = append(all, n.Name)
		}
	}
	return append(all, cluster.Balancer)
}

func describe(edges []cluster.Edge) string {
	var words []string
	for _, e := range edges {
		direction := map[[2]bool]string{{true, true}: "from and to ", {true, false}: "from ", {false, true}: "to "}[[2]bool{e.In, e.Out}]
		words = append(words, direction+e.Other)
	}
	return strings.Join(words, ", ")
}

type partition struct {
	nodes []cluster.Node
	// balancer is dialled across the edge to it; across those to nodes it is their kubelets.
	balancer string
	control  cluster.Control
	node     string
	edges    []cluster.Edge
}

func (p *partition) setup(ctx context.Context) error {
	for _, e := range p.edges {
		if !e.In && !e.Out {
			return fmt.Errorf("the edge to %s is to be cut in no direction", e.Other)
		}
	}
	if err := mustRun(ctx, p.control, p.node); err != nil {
		return err
	}
	return p.reach(ctx, p.cut(), true)
}

// cut are where to dial across each edge of the partition.
func (p *partition) cut() (addresses []string) {
	for _, e := range p.edges {
		if e.Other == cluster.Balancer {
			addresses = append(addresses, p.balancer)
		}
	}
	return append(addresses, p.pick(true)...)
}

// pick are the kubelets of the other nodes with or without an edge of the partition.
func (p *partition) pick(cut bool) (addresses []string) {
	for _, n := range p.nodes {
		of := func(e cluster.Edge) bool { return e.Other == n.Name }
		if n.Name != p.node && slices.ContainsFunc(p.edges, of) == cut {
			addresses = append(addresses, n.Kubelet())
		}
	}
	return addresses
}

// reach expects every connection from the node to open, or every one to fail; all are tried at once, for each that fails takes its time.
func (p *partition) reach(ctx context.Context, addresses []string, want bool) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, address := range addresses {
		all.Go(func() error {
			err := p.control.Dial(ctx, p.node, address)
			switch {
			case err == nil && !want:
				return fmt.Errorf("a connection from %s to %s opens", p.node, address)
			case errors.Is(err, cluster.ErrUnreached) && !want:
				return nil
			}
			return err // any other error is no evidence
		})
	}
	return all.Wait()
}

func (p *partition) witness(ctx context.Context) (string, error) {
	if err := p.reach(ctx, p.cut(), false); err != nil {
		return "", err
	}
	if err := p.uncut(ctx); err != nil {
		return "", err
	}
	lost, err := p.control.Dropped(ctx, p.node)
	if err != nil {
		return "", err
	}
	var words []string
	for _, e := range p.edges {
		if lost[e.Other] == 0 {
			return "", fmt.Errorf("the edge to %s has lost no packet", e.Other)
		}
		words = append(words, fmt.Sprintf("%s %d", e.Other, lost[e.Other]))
	}
	return "nothing opens across the cut, others open, packets lost: " + strings.Join(words, ", "), nil
}

// uncut expects the node to be alive and to reach somebody.
func (p *partition) uncut(ctx context.Context) error {
	if others := p.pick(false); len(others) > 0 {
		return p.reach(ctx, others[:1], true)
	}
	self, err := cluster.Find(p.nodes, p.node)
	if err != nil {
		return err
	}
	return answers(ctx, self.Kubelet())
}

func (p *partition) healed(ctx context.Context) (string, error) {
	if err := p.reach(ctx, p.cut(), true); err != nil {
		return "", err
	}
	return "connections open again across " + describe(p.edges), nil
}
