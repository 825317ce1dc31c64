package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/moby/moby/client"
	"github.com/spf13/pflag"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/cluster/containers"
	"github.com/plumb-k8s/plumb/conformance/cluster/engine"
	"github.com/plumb-k8s/plumb/conformance/cluster/existing"
	"github.com/plumb-k8s/plumb/conformance/cluster/script"
)

// How nodes are controlled: by this machine's engine, whose containers they are, or by a program of their owner's, whose path follows.
const (
	byDocker = "docker"
	byScript = "exec:"
)

// nodeControl are the flags that say how the nodes of an existing cluster are stopped, cut off and looked into.
type nodeControl struct{ by, balancer string }

func (n *nodeControl) add(fs *pflag.FlagSet) {
	fs.StringVar(&n.by, "node-control", "", "how the nodes of --kubeconfig are broken: docker (containers of this engine, named as the nodes) or exec:SCRIPT (conformance/cluster/NODECONTROL.md)")
	fs.StringVar(&n.balancer, "balancer", "", "what stands before the apiservers: a container for docker, an address for exec, :PORT behind it if it serves the nodes on another than 6443 (default: what the kubeconfig's server leads to)")
}

// sound refuses flags that cannot be right.
func (n *nodeControl) sound(existing bool) error {
	script, exec := strings.CutPrefix(n.by, byScript)
	switch {
	case n.by == "" && n.balancer != "":
		return fmt.Errorf("--balancer %s: it is for --node-control", n.balancer)
	case n.by == "":
		return nil
	case n.by != byDocker && (!exec || script == ""):
		return fmt.Errorf("--node-control %s: want docker or exec:SCRIPT", n.by)
	case !existing:
		return fmt.Errorf("--node-control %s: it is for the cluster of a --kubeconfig; clusters that plumb boots need none", n.by)
	}
	return nil
}

// open opens the cluster of a kubeconfig, with control over its nodes if that was asked for, and says at once what that lacks.
func (n *nodeControl) open(ctx context.Context, kubeconfig, kubeContext, faultImage string) (*existing.Cluster, error) {
	c, err := existing.Open(ctx, kubeconfig, kubeContext)
	if err != nil || n.by == "" {
		return c, err
	}
	var control cluster.Control
	balancer, port := n.before()
	if path, ok := strings.CutPrefix(n.by, byScript); ok {
		host, at, _ := net.SplitHostPort(serverOf(c))
		port = cmp.Or(port, at)
		control, err = script.New(script.Config{Path: path, Nodes: c.Nodes(), Balancer: cmp.Or(balancer, host)})
	} else {
		control, port, err = n.byDocker(ctx, c, faultImage)
	}
	if err != nil {
		return nil, fmt.Errorf("--node-control %s: %w", n.by, err)
	}
	c.Use(control, port)
	return c, nil
}

// usualPort is where apiservers and what stands before them serve, where nobody says otherwise.
const usualPort = "6443"

// before takes --balancer apart; both are empty when it was not given.
func (n *nodeControl) before() (balancer, port string) {
	if n.balancer == "" {
		return "", ""
	}
	if host, port, err := net.SplitHostPort(n.balancer); err == nil {
		return host, port
	}
	return n.balancer, usualPort
}

// byDocker finds the containers of the nodes, and that of the balancer with the port on which it serves them.
func (n *nodeControl) byDocker(ctx context.Context, c *existing.Cluster, faultImage string) (cluster.Control, string, error) {
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return nil, "", err
	}
	balancer, port := n.before()
	cfg := engine.Config{Docker: docker, Containers: map[string]string{}, Balancer: balancer, FaultImage: faultImage, Labels: containers.HelperLabels()}
	for _, node := range c.Nodes() {
		cfg.Containers[node.Name] = node.Name
	}
	if cfg.Balancer == "" {
		// A balancer outside of this engine is none of the node control's: what needs it says so.
		cfg.Balancer, port, _ = engine.Behind(ctx, docker, serverOf(c))
	}
	control := engine.New(cfg)
	return control, port, control.Check(ctx)
}

// serverOf is the host:port of a cluster's API.
func serverOf(c *existing.Cluster) string {
	server, err := url.Parse(c.Name())
	if err != nil {
		return ""
	}
	return net.JoinHostPort(server.Hostname(), cmp.Or(server.Port(), "443"))
}

// args pass the flags on to a shard.
func (n *nodeControl) args(faultImage string) []string {
	if n.by == "" {
		return nil
	}
	return []string{"--node-control", n.by, "--balancer", n.balancer, "--fault-image", faultImage}
}
