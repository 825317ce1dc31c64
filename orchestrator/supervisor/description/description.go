// Package description reads the cluster description, the one file that says what a cluster looks like (the node contract).
//
// It owns the format and its checks and does nothing with it: pki makes certificates from it, the supervisor its components. It is fed by
// whoever boots the node.
package description

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"regexp"
)

// Path is where a node finds its description.
const Path = "/etc/plumb/cluster.json"

// Roles of a node.
const (
	ControlPlane = "control-plane"
	Worker       = "worker"
)

// APIPort is where every control plane's apiserver listens.
const APIPort = 6443

// Cluster is the description.
type Cluster struct {
	Name string `json:"name"`
	// Self is the name of the node that reads it; empty for the balancer and the PKI run.
	Self  string `json:"self"`
	Nodes []Node `json:"nodes"`

	PodSubnet     string `json:"podSubnet"`
	ServiceSubnet string `json:"serviceSubnet"`
	ClusterDomain string `json:"clusterDomain"`
	ClusterDNS    string `json:"clusterDNS"`

	Balancer Balancer `json:"balancer"`
	// RegistryMirrors are asked, and only they, for the images of a registry.
	RegistryMirrors map[string]string `json:"registryMirrors"`
	// ExtraArgs are flags without dashes, by component.
	ExtraArgs map[string]map[string]string `json:"extraArgs"`
	// KubeletConfiguration and KubeProxyConfiguration are merged into the configs of these components.
	KubeletConfiguration   map[string]any `json:"kubeletConfiguration"`
	KubeProxyConfiguration map[string]any `json:"kubeProxyConfiguration"`
}

// Node is one node of the cluster.
type Node struct {
	Name    string            `json:"name"`
	Role    string            `json:"role"`
	Address string            `json:"address"`
	Labels  map[string]string `json:"labels"`
}

// Balancer stands in front of the apiservers.
type Balancer struct {
	Address string `json:"address"`
	Port    int    `json:"port"`
	// Published are the names and addresses by which clients outside reach it.
	Published []string `json:"published"`
}

// Load reads and checks a description.
func Load(path string) (*Cluster, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the cluster description: %w", err)
	}
	c := &Cluster{}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, fmt.Errorf("read the cluster description %s: %w", path, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("cluster description %s: %w", path, err)
	}
	return c, nil
}

// nodeName is a DNS subdomain (RFC 1123): names become file names of the PKI, so nothing else is let in.
var nodeName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func (c *Cluster) check() error {
	seen := map[string]bool{}
	for i, n := range c.Nodes {
		switch {
		case !nodeName.MatchString(n.Name):
			return fmt.Errorf("nodes[%d].name: %q is not a DNS name", i, n.Name)
		case seen[n.Name]:
			return fmt.Errorf("nodes[%d].name: %s is there twice", i, n.Name)
		case n.Role != ControlPlane && n.Role != Worker:
			return fmt.Errorf("nodes[%d].role: %q: want %s or %s", i, n.Role, ControlPlane, Worker)
		}
		seen[n.Name] = true
		if _, err := netip.ParseAddr(n.Address); err != nil {
			return fmt.Errorf("nodes[%d].address: %w", i, err)
		}
	}
	if len(c.ControlPlanes()) == 0 {
		return fmt.Errorf("nodes: none is a %s", ControlPlane)
	}
	if c.Self != "" && !seen[c.Self] {
		return fmt.Errorf("self: no node is named %q", c.Self)
	}
	for field, text := range map[string]string{"podSubnet": c.PodSubnet, "serviceSubnet": c.ServiceSubnet} {
		if _, err := netip.ParsePrefix(text); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
	}
	for field, text := range map[string]string{"clusterDNS": c.ClusterDNS, "balancer.address": c.Balancer.Address} {
		if _, err := netip.ParseAddr(text); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
	}
	if c.Balancer.Port < 1 || c.Balancer.Port > 65535 {
		return fmt.Errorf("balancer.port: %d: must be within 1 and 65535", c.Balancer.Port)
	}
	if c.ClusterDomain == "" {
		return fmt.Errorf("clusterDomain: required")
	}
	return nil
}

// Me is the node that reads the description; false when Self is empty.
func (c *Cluster) Me() (Node, bool) {
	for _, n := range c.Nodes {
		if n.Name == c.Self {
			return n, true
		}
	}
	return Node{}, false
}

// ControlPlanes in the order of the description.
func (c *Cluster) ControlPlanes() []Node {
	var found []Node
	for _, n := range c.Nodes {
		if n.Role == ControlPlane {
			found = append(found, n)
		}
	}
	return found
}

// ServiceIP is the first address of the service subnet: that of the Service kubernetes.
func (c *Cluster) ServiceIP() netip.Addr {
	return netip.MustParsePrefix(c.ServiceSubnet).Masked().Addr().Next()
}
