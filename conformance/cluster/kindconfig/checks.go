package kindconfig

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
)

// anyPort is kind's way to say that the engine chooses the port of the API; so does 0.
const anyPort = -1

// protocols that a port may be published for.
var protocols = []string{"TCP", "UDP", "SCTP"}

// check refuses what no engine could publish or mount. hosts are the host's ports that other nodes publish already.
func (n Node) check(at locator, field string, hosts map[string]string) error {
	inside := map[int]bool{}
	for i, p := range n.ExtraPortMappings {
		field := fmt.Sprintf("%s.extraPortMappings.%d", field, i)
		if err := p.check(at, field); err != nil {
			return err
		}
		if inside[p.ContainerPort] {
			return at.errorf(field+".containerPort", "%d is published twice", p.ContainerPort)
		}
		inside[p.ContainerPort] = true
		host := fmt.Sprintf("%s:%d/%s", p.ListenAddress, p.HostPort, strings.ToUpper(p.Protocol))
		if other := hosts[host]; other != "" && p.HostPort != 0 {
			return at.errorf(field+".hostPort", "%d is taken by %s", p.HostPort, other)
		}
		hosts[host] = field
	}
	for i, m := range n.ExtraMounts {
		field := fmt.Sprintf("%s.extraMounts.%d", field, i)
		if m.HostPath == "" {
			return at.errorf(field+".hostPath", "must be a path")
		}
		if !path.IsAbs(m.ContainerPath) {
			return at.errorf(field+".containerPath", "%q is no absolute path", m.ContainerPath)
		}
	}
	return nil
}

func (p PortMapping) check(at locator, field string) error {
	if p.ContainerPort < 1 || p.ContainerPort > maxPort {
		return at.errorf(field+".containerPort", "%d is no port: must be 1 to %d", p.ContainerPort, maxPort)
	}
	if p.HostPort < 0 || p.HostPort > maxPort {
		return at.errorf(field+".hostPort", "%d is no port: must be 1 to %d, or 0 for any", p.HostPort, maxPort)
	}
	if _, err := netip.ParseAddr(p.ListenAddress); p.ListenAddress != "" && err != nil {
		return at.errorf(field+".listenAddress", "%q is not an address like 127.0.0.1", p.ListenAddress)
	}
	if p.Protocol != "" && !slices.Contains(protocols, strings.ToUpper(p.Protocol)) {
		return at.errorf(field+".protocol", "must be one of %s, not %q", strings.Join(protocols, ", "), p.Protocol)
	}
	return nil
}

const maxPort = 65535

// How large the subnets must be: DNS has the tenth address of the services', and each node a /24 of the pods'.
const (
	longestServices = 28
	perNode         = 24
)

func (n Networking) check(at locator, nodes int) error {
	if n.IPFamily != "" && n.IPFamily != "ipv4" {
		return at.errorf("networking.ipFamily", "must be ipv4, not %q", n.IPFamily)
	}
	if n.KubeProxyMode != "" && n.KubeProxyMode != "nftables" {
		return at.errorf("networking.kubeProxyMode", "must be nftables, not %q", n.KubeProxyMode)
	}
	if n.APIServerPort < anyPort || n.APIServerPort > maxPort {
		return at.errorf("networking.apiServerPort", "%d is no port: must be 1 to %d, or 0 for any", n.APIServerPort, maxPort)
	}
	if _, err := netip.ParseAddr(n.APIServerAddress); n.APIServerAddress != "" && err != nil {
		return at.errorf("networking.apiServerAddress", "%q is not an address", n.APIServerAddress)
	}
	return n.subnets(at, nodes)
}

// subnets that are not given are kind's defaults here, too: one that is may overlap them.
func (n Networking) subnets(at locator, nodes int) error {
	pods, err := subnet(at, "networking.podSubnet", n.PodSubnet, defaultPods)
	if err != nil {
		return err
	}
	services, err := subnet(at, "networking.serviceSubnet", n.ServiceSubnet, defaultServices)
	if err != nil {
		return err
	}
	if pods.Overlaps(services) {
		field := "networking.podSubnet"
		if n.PodSubnet == "" {
			field = "networking.serviceSubnet"
		}
		return at.errorf(field, "the pods' %s and the services' %s overlap", pods, services)
	}
	if services.Bits() > longestServices {
		return at.errorf("networking.serviceSubnet", "%s is too small: it must be a /%d at least", services, longestServices)
	}
	if room := 1 << max(0, perNode-pods.Bits()); pods.Bits() > perNode || room < nodes {
		return at.errorf("networking.podSubnet", "%s is too small: each of %d nodes needs a /%d of it", pods, nodes, perNode)
	}
	return nil
}

func subnet(at locator, field, value, otherwise string) (netip.Prefix, error) {
	if value == "" {
		value = otherwise
	}
	p, err := netip.ParsePrefix(value)
	if err != nil || !p.Addr().Is4() {
		return p, at.errorf(field, "%q is not an IPv4 subnet like %s", value, otherwise)
	}
	return p.Masked(), nil
}
