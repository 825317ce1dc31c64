// Package cluster is how the harness sees a cluster under test: a kubeconfig, a list of nodes, and - where the provider can - control over them.
//
// cluster/containers boots clusters in containers by CONTRACT.md; cluster/existing takes any kubeconfig. Specs and faults use only the
// interfaces here, so they run on both. It knows nothing of what runs inside a node.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
)

// Roles of a node.
const (
	ControlPlane = "control-plane"
	Worker       = "worker"
)

// Node is one machine of the cluster.
type Node struct {
	Name    string `json:"name"`
	Role    string `json:"role"`
	Address string `json:"address"`
}

// kubeletPort is served by every node.
const kubeletPort = "10250"

// Kubelet is the host:port of the node's kubelet, which speaks TLS.
func (n Node) Kubelet() string { return net.JoinHostPort(n.Address, kubeletPort) }

// Find returns the node of that name.
func Find(nodes []Node, name string) (Node, error) {
	for _, n := range nodes {
		if n.Name == name {
			return n, nil
		}
	}
	return Node{}, fmt.Errorf("%s: %w", name, ErrNoSuchNode)
}

// Cluster is a target under test.
type Cluster interface {
	Name() string
	Nodes() []Node
	// Kubeconfig of a cluster administrator, as bytes.
	Kubeconfig() []byte
	// APIServers are the addresses (https://host:port) of each apiserver by node name; empty when only the balanced one is known.
	APIServers() map[string]string
	// BalancerPort is where the nodes reach what stands before the apiservers.
	BalancerPort() string
	// Control is nil when nodes cannot be stopped, paused or looked into.
	Control() Control
}

// ErrNoSuchNode: the cluster has no node of that name.
var ErrNoSuchNode = errors.New("no such node in this cluster")

// State of a node as its provider sees it.
type State struct {
	Running, Paused bool
	ExitCode        int
	StartedAt       string
}

// ErrUnsupported: this control cannot do that. What needs it is inconclusive, never passed.
var ErrUnsupported = errors.New("this node control cannot do that")

// Control acts on nodes from outside. Every method returns when the provider confirms the action; that it took effect is for a witness to see.
// A control that cannot do something answers ErrUnsupported.
type Control interface {
	Machines
	Processes
	Network
	Disks
	// Logs writes everything the node has logged to a tar stream.
	Logs(ctx context.Context, node string, to io.Writer) error
}

// Machines are whole nodes.
type Machines interface {
	Stop(ctx context.Context, node string) error
	Kill(ctx context.Context, node string) error
	Start(ctx context.Context, node string) error
	Pause(ctx context.Context, node string) error
	Unpause(ctx context.Context, node string) error
	State(ctx context.Context, node string) (State, error)
}

// Processes are those of a node whose argv[0] ends in a component's name.
type Processes interface {
	// Processes returns their pids in the node; none is no error.
	Processes(ctx context.Context, node, component string) ([]int, error)
	// Stopped returns those of them that a signal has stopped (state T of proc(5)).
	Stopped(ctx context.Context, node, component string) ([]int, error)
	// Signal sends a signal to them (9 kills) and returns the pids it reached; to reach none is an error.
	Signal(ctx context.Context, node, component string, signal int) ([]int, error)
}

// Edge is what passes between a node and one other, as the node sees it: In is what comes from the other, Out what goes to it. Packets of pods on
// either side count too.
type Edge struct {
	// Other is a node's name, or Balancer.
	Other   string
	In, Out bool
}

// Balancer, as the other end of an edge, is whatever stands before the apiservers outside of their nodes. It is a host that Dial knows, too.
const Balancer = "balancer"

// ErrUnreached: nobody answered across the network, or not as wanted. Only this is evidence of a cut; any other error tells nothing about it.
var ErrUnreached = errors.New("not reached")

// Network is what passes between nodes.
type Network interface {
	// Cut drops every packet of the edges, beside those that are cut already.
	Cut(ctx context.Context, node string, edges ...Edge) error
	// Mend lets everything pass again; with nothing cut it does nothing.
	Mend(ctx context.Context, node string) error
	// Dropped counts the packets that each edge cut at this node has lost, both directions together.
	Dropped(ctx context.Context, node string) (map[string]uint64, error)
	// Dial opens a TCP connection from a node to host:port and closes it; ErrUnreached is that it did not open in time (ProbeAnswer's budget).
	Dial(ctx context.Context, node, address string) error
	// Fetch is a GET of a plain http URL from a node, whose own loopback it may name; any answer but 200 is ErrUnreached.
	Fetch(ctx context.Context, node, url string) ([]byte, error)
}

// Disks are the file systems of nodes.
type Disks interface {
	// Fill leaves no room for a component's data on a node: it goes on with the data it has, on a full disk. The component is restarted by it.
	Fill(ctx context.Context, node, component string) error
	// Free gives the room back and restarts the component on the data as it is then; with nothing filled it does nothing.
	Free(ctx context.Context, node, component string) error
	// Room is how many bytes a component could still write.
	Room(ctx context.Context, node, component string) (int64, error)
}
