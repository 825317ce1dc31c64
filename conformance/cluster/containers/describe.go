package containers

import (
	"encoding/json"
	"fmt"
	"net/netip"
)

// descriptionPath is where a node finds its description.
const descriptionPath = "/etc/plumb/cluster.json"

// description is /etc/plumb/cluster.json of the contract.
type description struct {
	Name                   string                       `json:"name"`
	Self                   string                       `json:"self"`
	Nodes                  []describedNode              `json:"nodes"`
	PodSubnet              string                       `json:"podSubnet"`
	ServiceSubnet          string                       `json:"serviceSubnet"`
	ClusterDomain          string                       `json:"clusterDomain"`
	ClusterDNS             string                       `json:"clusterDNS"`
	Balancer               describedBalancer            `json:"balancer"`
	RegistryMirrors        map[string]string            `json:"registryMirrors"`
	ExtraArgs              map[string]map[string]string `json:"extraArgs,omitempty"`
	KubeletConfiguration   map[string]any               `json:"kubeletConfiguration,omitempty"`
	KubeProxyConfiguration map[string]any               `json:"kubeProxyConfiguration,omitempty"`
}

type describedNode struct {
	Name    string            `json:"name"`
	Role    string            `json:"role"`
	Address string            `json:"address"`
	Labels  map[string]string `json:"labels,omitempty"`
}

type describedBalancer struct {
	Address   string   `json:"address"`
	Port      int      `json:"port"`
	Published []string `json:"published"`
}

// describe returns the description as node self sees it.
func (b *boot) describe(self string) ([]byte, error) {
	shape := b.cfg.Shape
	services, err := netip.ParsePrefix(shape.Networking.ServiceSubnet)
	if err != nil {
		return nil, fmt.Errorf("serviceSubnet: %w", err)
	}
	d := description{
		Name: shape.Name, Self: self,
		PodSubnet: shape.Networking.PodSubnet, ServiceSubnet: shape.Networking.ServiceSubnet,
		ClusterDomain: "cluster.local", ClusterDNS: tenth(services).String(),
		Balancer:               describedBalancer{Address: b.plan.balancer.String(), Port: apiPort, Published: []string{shape.Networking.APIServerAddress, "localhost"}},
		ExtraArgs:              shape.Patches.ExtraArgs,
		KubeletConfiguration:   shape.Patches.Kubelet,
		KubeProxyConfiguration: shape.Patches.KubeProxy,
	}
	if b.cfg.RegistryImage != "" {
		mirror := fmt.Sprintf("http://%s:%d", b.plan.registry, registryPort)
		d.RegistryMirrors = map[string]string{"registry.k8s.io": mirror, "docker.io": mirror}
	}
	for _, n := range b.plan.nodes {
		d.Nodes = append(d.Nodes, describedNode{Name: n.Name, Role: n.Role, Address: n.Address, Labels: b.plan.labels[n.Name]})
	}
	return json.MarshalIndent(d, "", "  ")
}

// tenth is where cluster DNS lives by convention: the tenth address of the service subnet.
func tenth(p netip.Prefix) netip.Addr {
	a := p.Masked().Addr()
	for range 10 {
		a = a.Next()
	}
	return a
}
