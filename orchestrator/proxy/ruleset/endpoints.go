package ruleset

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// Node is what matters of the node that the proxy runs on.
type Node struct {
	Name string
	Zone string
	// Addresses accept node port traffic.
	Addresses []netip.Addr
}

// endpoint is one pod behind one port of a Service.
type endpoint struct {
	netip.AddrPort
	ready, serving, terminating bool
	local                       bool
	zones, nodes                []string
}

// backends are the endpoints of one Service port and family, by who may reach them.
type backends struct {
	// cluster are for clients that any node may serve, local for those that only this node may.
	cluster, local []netip.AddrPort
	// any endpoint is usable, here or elsewhere.
	any bool
	// own are the usable endpoints on this node.
	own []netip.AddrPort
}

// endpointsOf collects what the slices say of one port, each address once, in a stable order.
func endpointsOf(node Node, port corev1.ServicePort, slicesOf []*discoveryv1.EndpointSlice, family discoveryv1.AddressType) []endpoint {
	found := map[netip.AddrPort]endpoint{}
	for _, slice := range slicesOf {
		if slice.AddressType != family {
			continue
		}
		target, ok := targetPort(slice.Ports, port)
		if !ok {
			continue
		}
		for i := range slice.Endpoints {
			e, ok := parseEndpoint(node, &slice.Endpoints[i], target)
			// While a pod moves between slices it may stand in two: the better word counts.
			if old, twice := found[e.AddrPort]; ok && (!twice || !old.ready) {
				found[e.AddrPort] = e
			}
		}
	}
	list := make([]endpoint, 0, len(found))
	for _, e := range found {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b endpoint) int { return a.Compare(b.AddrPort) })
	return list
}

func targetPort(ports []discoveryv1.EndpointPort, port corev1.ServicePort) (uint16, bool) {
	for _, p := range ports {
		if p.Port == nil || *p.Port < 1 || *p.Port > 65535 {
			continue
		}
		name, protocol := "", corev1.ProtocolTCP
		if p.Name != nil {
			name = *p.Name
		}
		if p.Protocol != nil {
			protocol = *p.Protocol
		}
		if name == port.Name && protocol == cmp.Or(port.Protocol, corev1.ProtocolTCP) {
			return uint16(*p.Port), true
		}
	}
	return 0, false
}

// parseEndpoint reads one endpoint. An absent condition reads as the API says: ready, serving, not terminating.
func parseEndpoint(node Node, e *discoveryv1.Endpoint, port uint16) (endpoint, bool) {
	if len(e.Addresses) == 0 {
		return endpoint{}, false
	}
	address, err := netip.ParseAddr(e.Addresses[0])
	if err != nil {
		return endpoint{}, false
	}
	ready := e.Conditions.Ready == nil || *e.Conditions.Ready
	out := endpoint{
		AddrPort:    netip.AddrPortFrom(address, port),
		ready:       ready,
		serving:     ready,
		terminating: e.Conditions.Terminating != nil && *e.Conditions.Terminating,
		local:       e.NodeName != nil && *e.NodeName == node.Name,
	}
	if e.Conditions.Serving != nil {
		out.serving = *e.Conditions.Serving
	}
	if e.Hints != nil {
		for _, z := range e.Hints.ForZones {
			out.zones = append(out.zones, z.Name)
		}
		for _, n := range e.Hints.ForNodes {
			out.nodes = append(out.nodes, n.Name)
		}
	}
	return out, true
}

// usable are the ready ones; where there is none, those that still serve while they terminate (KEP-1669).
func usable(list []endpoint) []endpoint {
	if ready := filter(list, func(e endpoint) bool { return e.ready }); len(ready) > 0 {
		return ready
	}
	return filter(list, func(e endpoint) bool { return e.serving && e.terminating })
}

// near keeps the endpoints that hints give to this node or zone (KEP-2433, KEP-3015). Hints are only followed where every ready endpoint
// carries one: otherwise a rollout or an old controller is at work, and some would get no traffic.
func near(node Node, list []endpoint) []endpoint {
	hinted := func(names func(endpoint) []string, own string) []endpoint {
		if own == "" || slices.ContainsFunc(list, func(e endpoint) bool { return e.ready && len(names(e)) == 0 }) {
			return nil
		}
		return filter(list, func(e endpoint) bool { return e.ready && slices.Contains(names(e), own) })
	}
	if kept := hinted(func(e endpoint) []string { return e.nodes }, node.Name); len(kept) > 0 {
		return kept
	}
	if kept := hinted(func(e endpoint) []string { return e.zones }, node.Zone); len(kept) > 0 {
		return kept
	}
	return list
}

func choose(node Node, list []endpoint) backends {
	own := usable(filter(list, func(e endpoint) bool { return e.local }))
	return backends{
		cluster: addresses(usable(near(node, list))),
		local:   addresses(own),
		any:     len(usable(list)) > 0,
		own:     addresses(filter(list, func(e endpoint) bool { return e.local && (e.ready || e.serving) })),
	}
}

func filter(list []endpoint, keep func(endpoint) bool) []endpoint {
	var kept []endpoint
	for _, e := range list {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	return kept
}

func addresses(list []endpoint) []netip.AddrPort {
	var out []netip.AddrPort
	for _, e := range list {
		out = append(out, e.AddrPort)
	}
	return out
}
