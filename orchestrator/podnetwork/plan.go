package podnetwork

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// hop is a route to the pods of a node.
type hop struct {
	Pods netip.Prefix
	// Via is the node's address; the zero value stands for this node: what none of its pods has is unreachable.
	Via netip.Addr
}

// plan is what the Nodes say that this node's kernel and plugin should hold.
type plan struct {
	Routes []hop
	// Own are this node's ranges of pod addresses; empty until the controller-manager has given them.
	Own []netip.Prefix
	// Address is this node's own, by which the others reach its pods.
	Address netip.Addr
}

// makePlan reads the Nodes. A node without an address of a range's family cannot be routed to, and is left out until it has one.
func makePlan(self string, nodes []*corev1.Node) plan {
	var out plan
	for _, node := range nodes {
		for _, pods := range ranges(node) {
			via := internalIP(node, pods.Addr().Is4())
			switch {
			case node.Name == self:
				out.Own = append(out.Own, pods)
				out.Routes = append(out.Routes, hop{Pods: pods})
			case via.IsValid():
				out.Routes = append(out.Routes, hop{pods, via})
			}
		}
		if node.Name == self {
			out.Address = internalIP(node, true)
			if !out.Address.IsValid() {
				out.Address = internalIP(node, false)
			}
		}
	}
	slices.SortFunc(out.Routes, func(a, b hop) int {
		if c := a.Pods.Addr().Compare(b.Pods.Addr()); c != 0 {
			return c
		}
		return a.Pods.Bits() - b.Pods.Bits()
	})
	return out
}

func ranges(node *corev1.Node) []netip.Prefix {
	texts := node.Spec.PodCIDRs
	if len(texts) == 0 && node.Spec.PodCIDR != "" {
		texts = []string{node.Spec.PodCIDR}
	}
	var out []netip.Prefix
	for _, text := range texts {
		if p, err := netip.ParsePrefix(text); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}

func internalIP(node *corev1.Node, v4 bool) netip.Addr {
	for _, a := range node.Status.Addresses {
		ip, err := netip.ParseAddr(a.Address)
		if err == nil && a.Type == corev1.NodeInternalIP && ip.Is4() == v4 {
			return ip
		}
	}
	return netip.Addr{}
}

// networkConfig is the file that makes the runtime call the plugin. The loopback interface is the runtime's own.
func networkConfig(own []netip.Prefix, mtu int) ([]byte, error) {
	cidrs := make([]string, len(own))
	for i, p := range own {
		cidrs[i] = p.String()
	}
	plugin := map[string]any{"type": pluginName, "podCIDRs": cidrs, "capabilities": map[string]bool{"portMappings": true}}
	if mtu > 0 {
		plugin["mtu"] = mtu
	}
	raw, err := json.MarshalIndent(map[string]any{"cniVersion": "1.0.0", "name": "pods", "plugins": []any{plugin}}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the network configuration: %w", err)
	}
	return append(raw, '\n'), nil
}

// moved tells whether a plan may be another one now. A heartbeat, of which there is one per node every few seconds, is nothing.
func moved(old, node *corev1.Node) bool {
	return old.Spec.PodCIDR != node.Spec.PodCIDR || !slices.Equal(old.Spec.PodCIDRs, node.Spec.PodCIDRs) || !slices.Equal(old.Status.Addresses, node.Status.Addresses)
}
