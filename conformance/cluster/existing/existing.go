// Package existing is a cluster that somebody else made: a kubeconfig and nothing more. Its nodes come from the API, and there is no
// control over them, so fault profiles cannot run on it.
package existing

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// Cluster is known by its kubeconfig.
type Cluster struct {
	name       string
	kubeconfig []byte
	nodes      []cluster.Node
}

var _ cluster.Cluster = (*Cluster)(nil)

// Open reads the kubeconfig and asks the cluster for its nodes. An unreachable cluster is an error.
func Open(ctx context.Context, path string) (*Cluster, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig: %w", err)
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(data)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig %s: %w", path, err)
	}
	api, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig %s: %w", path, err)
	}
	nodes, err := api.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig %s: the cluster at %s does not answer: %w", path, cfg.Host, err)
	}
	c := &Cluster{name: cfg.Host, kubeconfig: data}
	for _, n := range nodes.Items {
		c.nodes = append(c.nodes, describe(&n))
	}
	return c, nil
}

func describe(n *corev1.Node) cluster.Node {
	d := cluster.Node{Name: n.Name, Role: cluster.Worker}
	if _, ok := n.Labels["node-role.kubernetes.io/control-plane"]; ok {
		d.Role = cluster.ControlPlane
	}
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			d.Address = a.Address
		}
	}
	return d
}

// Name is the URL of the API.
func (c *Cluster) Name() string { return c.name }

// Nodes as the API listed them when the cluster was opened.
func (c *Cluster) Nodes() []cluster.Node { return c.nodes }

// Kubeconfig is the file's content.
func (c *Cluster) Kubeconfig() []byte { return c.kubeconfig }

// APIServers are not known one by one.
func (c *Cluster) APIServers() map[string]string { return nil }

// Control is nil: nodes of an existing cluster are not ours to stop.
func (c *Cluster) Control() cluster.Control { return nil }
