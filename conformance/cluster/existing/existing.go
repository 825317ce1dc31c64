// Package existing is a cluster that somebody else made: a kubeconfig, and node control if somebody gives that too (Use). Its nodes and the
// addresses of its apiservers come from the API; without control over the nodes the requirements that break something cannot run on it.
package existing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// Cluster is known by its kubeconfig.
type Cluster struct {
	name       string
	kubeconfig []byte
	nodes      []cluster.Node
	apiservers map[string]string
	control    cluster.Control
	balancer   string
}

var _ cluster.Cluster = (*Cluster)(nil)

// Open reads the kubeconfig of a path, or where kubectl finds it when that is empty, and asks the cluster of a context of it, or of its own one, for
// its nodes. An unreachable cluster is an error.
func Open(ctx context.Context, path, kubeContext string) (*Cluster, error) {
	data, path, err := selfContained(path, kubeContext)
	if err != nil {
		return nil, err
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
	c.apiservers = apiservers(ctx, api, c.nodes)
	return c, nil
}

// selfContained is a kubeconfig of one context, which holds what it names by path: relative ones are meant from the folder of the file that has them.
func selfContained(path, kubeContext string) (data []byte, from string, err error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if rules.ExplicitPath = path; path == "" {
		path = strings.Join(rules.Precedence, string(filepath.ListSeparator))
	}
	kubeconfig, err := rules.Load()
	if err != nil {
		return nil, "", fmt.Errorf("--kubeconfig: %w", err)
	}
	if kubeContext != "" {
		if _, there := kubeconfig.Contexts[kubeContext]; !there {
			return nil, "", fmt.Errorf("--context %s: there is no such context in %s; there are %s", kubeContext, path, strings.Join(slices.Sorted(maps.Keys(kubeconfig.Contexts)), ", "))
		}
		kubeconfig.CurrentContext = kubeContext
	}
	if kubeconfig.CurrentContext == "" && len(kubeconfig.Contexts) == 0 {
		return nil, "", fmt.Errorf("--kubeconfig %s: it names no cluster", path)
	}
	if err := errors.Join(clientcmdapi.MinifyConfig(kubeconfig), clientcmdapi.FlattenConfig(kubeconfig)); err != nil {
		return nil, "", fmt.Errorf("--kubeconfig %s: %w", path, err)
	}
	data, err = clientcmd.Write(*kubeconfig)
	if err != nil {
		return nil, "", fmt.Errorf("--kubeconfig %s: %w", path, err)
	}
	return data, path, nil
}

// apiservers are where the endpoints of Service default/kubernetes are addresses of nodes: each apiserver keeps its own there. What is not told is left
// out.
func apiservers(ctx context.Context, api kubernetes.Interface, nodes []cluster.Node) map[string]string {
	slices, err := api.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{
		LabelSelector: discoveryv1.LabelServiceName + "=kubernetes",
	})
	if err != nil {
		return nil
	}
	urls := map[string]string{}
	for _, slice := range slices.Items {
		for _, port := range slice.Ports {
			for _, endpoint := range slice.Endpoints {
				for _, n := range nodes {
					if port.Port != nil && len(endpoint.Addresses) > 0 && endpoint.Addresses[0] == n.Address {
						urls[n.Name] = "https://" + net.JoinHostPort(n.Address, strconv.Itoa(int(*port.Port)))
					}
				}
			}
		}
	}
	return urls
}

// Use gives control over the nodes, to which the balancer serves on a port.
func (c *Cluster) Use(control cluster.Control, balancerPort string) {
	c.control, c.balancer = control, balancerPort
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

// APIServers as the cluster lists them.
func (c *Cluster) APIServers() map[string]string { return c.apiservers }

// BalancerPort is what Use gave.
func (c *Cluster) BalancerPort() string { return c.balancer }

// Control is what Use gave, or nil: nodes of an existing cluster are not ours to stop.
func (c *Cluster) Control() cluster.Control { return c.control }
