// Package cluster is how the harness sees a cluster under test: a kubeconfig, a list of nodes, and - where the provider can - control over them.
//
// cluster/containers boots clusters in containers by CONTRACT.md; cluster/existing takes any kubeconfig. Specs and faults use only the
// interfaces here, so they run on both. It knows nothing of what runs inside a node.
package cluster

import (
	"context"
	"errors"
	"io"
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

// Cluster is a target under test.
type Cluster interface {
	Name() string
	Nodes() []Node
	// Kubeconfig of a cluster administrator, as bytes.
	Kubeconfig() []byte
	// APIServers are the addresses (https://host:port) of each apiserver by node name; empty when only the balanced one is known.
	APIServers() map[string]string
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

// Control acts on nodes from outside. Every method returns when the provider confirms the action; Witness it by State.
type Control interface {
	Stop(ctx context.Context, node string) error
	Kill(ctx context.Context, node string) error
	Start(ctx context.Context, node string) error
	Pause(ctx context.Context, node string) error
	Unpause(ctx context.Context, node string) error
	State(ctx context.Context, node string) (State, error)
	// Processes returns the pids, in the node, of the processes whose argv[0] ends in component; none is no error.
	Processes(ctx context.Context, node, component string) ([]int, error)
	// Signal sends a signal to them (9 kills) and returns the pids it reached.
	Signal(ctx context.Context, node, component string, signal int) ([]int, error)
	// Logs writes everything the node has logged to a tar stream.
	Logs(ctx context.Context, node string, to io.Writer) error
}
