package ruleset

import (
	"hash/fnv"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// defaultSticky is how long ClientIP affinity lasts where the Service does not say: three hours.
const defaultSticky = 10800

// Compile returns the elements of one Service. slicesOf are the EndpointSlices that carry its name.
func Compile(node Node, svc *corev1.Service, slicesOf []*discoveryv1.EndpointSlice) Fragment {
	out := Fragment{}
	if Ignored(svc) {
		return out
	}
	for _, cluster := range clusterIPs(svc) {
		out.add(ClusterIPs, Frontend{Address: cluster})
		for _, port := range svc.Spec.Ports {
			compilePort(out, node, svc, port, cluster, choose(node, endpointsOf(node, port, slicesOf, familyOf(cluster))))
		}
	}
	return out
}

// CompileRanges returns the elements of all ServiceCIDRs; what is no range is left out.
func CompileRanges(cidrs []string) Fragment {
	out := Fragment{}
	for _, text := range cidrs {
		if p, err := netip.ParsePrefix(text); err == nil {
			out[Key{Set: ServiceRanges, Frontend: Frontend{Address: p.Masked().Addr()}, Range: p.Masked()}] = Value{}
		}
	}
	return out
}

// Ignored tells that no proxy serves svc: it has no address, or it is somebody else's.
func Ignored(svc *corev1.Service) bool {
	if svc.Spec.Type == corev1.ServiceTypeExternalName || svc.Spec.ClusterIP == "" || svc.Spec.ClusterIP == corev1.ClusterIPNone {
		return true
	}
	_, other := svc.Labels["service.kubernetes.io/service-proxy-name"]
	return other
}

func compilePort(out Fragment, node Node, svc *corev1.Service, port corev1.ServicePort, cluster netip.Addr, back backends) {
	protocol, ok := protocolOf(port.Protocol)
	if !ok || port.Port < 1 || port.Port > 65535 {
		return
	}
	for _, own := range back.own {
		out.add(Hairpin, Frontend{Address: own.Addr()})
	}
	sticky := stickiness(svc)
	internalLocal := svc.Spec.InternalTrafficPolicy != nil && *svc.Spec.InternalTrafficPolicy == corev1.ServiceInternalTrafficPolicyLocal
	front := Frontend{cluster, protocol, uint16(port.Port)}
	if internalLocal {
		out.route(front, back.local, back.any, Pick{Sticky: sticky})
	} else {
		out.route(front, back.cluster, back.any, Pick{Sticky: sticky})
	}
	for _, front := range externalFrontends(node, svc, port, protocol, cluster) {
		out.routeExternal(front, svc, back, sticky)
	}
	for _, ip := range ingressIPs(svc, cluster) {
		out.firewall(Frontend{ip, protocol, uint16(port.Port)}, svc, node)
	}
}

// route leads a frontend to its endpoints, or refuses where there are none: with a reject when nobody serves, silently when only this node does not.
func (f Fragment) route(front Frontend, to []netip.AddrPort, anywhere bool, pick Pick) {
	if len(to) == 0 {
		refusal := Reject
		if anywhere {
			refusal = Drop
		}
		f[Key{Set: NoEndpoints, Frontend: front}] = Value{Refusal: refusal}
		return
	}
	services, endpoints, order, members := Services, Endpoints, Order, Members
	if pick.Local {
		services, endpoints, order, members = LocalServices, LocalEndpoints, LocalOrder, LocalMembers
	}
	pick.Of = uint32(len(to))
	f[Key{Set: services, Frontend: front}] = Value{Pick: pick}
	if pick.Sticky == 0 {
		for i, endpoint := range to {
			f[Key{Set: endpoints, Frontend: front, Index: uint32(i)}] = Value{Endpoint: endpoint}
		}
		return
	}
	for i, endpoint := range to {
		member := memberOf(endpoint)
		for f.taken(members, front, member, endpoint) {
			member = max(1, member+1)
		}
		f[Key{Set: order, Frontend: front, Index: uint32(i)}] = Value{Member: member}
		f[Key{Set: members, Frontend: front, Index: member}] = Value{Endpoint: endpoint}
	}
}

// memberOf names an endpoint by a number that does not depend on what other endpoints there are. It is never 0, which is no member.
func memberOf(endpoint netip.AddrPort) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(endpoint.String()))
	return max(1, h.Sum32())
}

func (f Fragment) taken(members Set, front Frontend, member uint32, by netip.AddrPort) bool {
	have, ok := f[Key{Set: members, Frontend: front, Index: member}]
	return ok && have.Endpoint != by
}

// routeExternal leads clients from outside. Under policy Local they keep their address and reach only this node's endpoints, while the node
// itself and its pods, which reached the frontend without leaving it, are served as by policy Cluster.
func (f Fragment) routeExternal(front Frontend, svc *corev1.Service, back backends, sticky uint32) {
	f.route(front, back.cluster, back.any, Pick{Sticky: sticky})
	if svc.Spec.ExternalTrafficPolicy != corev1.ServiceExternalTrafficPolicyLocal {
		f.add(External, front)
		return
	}
	if len(back.cluster) > 0 {
		f.add(ExternalLocal, front)
		f.route(front, back.local, back.any, Pick{Sticky: sticky, Local: true})
	}
}

// firewall restricts a load balancer's address to loadBalancerSourceRanges. A node within the ranges may also come from the address itself:
// where a node holds that address, its own connections carry it as their source.
func (f Fragment) firewall(front Frontend, svc *corev1.Service, node Node) {
	if len(svc.Spec.LoadBalancerSourceRanges) == 0 {
		return
	}
	f.add(Firewalled, front)
	for _, text := range svc.Spec.LoadBalancerSourceRanges {
		source, err := netip.ParsePrefix(text)
		if err != nil || source.Addr().Is4() != front.Address.Is4() {
			continue
		}
		f[Key{Set: Allowed, Frontend: front, Range: source.Masked()}] = Value{}
		for _, own := range node.Addresses {
			if source.Contains(own) {
				f[Key{Set: Allowed, Frontend: front, Range: netip.PrefixFrom(front.Address, front.Address.BitLen())}] = Value{}
			}
		}
	}
}

func externalFrontends(node Node, svc *corev1.Service, port corev1.ServicePort, protocol Protocol, cluster netip.Addr) []Frontend {
	var out []Frontend
	for _, text := range svc.Spec.ExternalIPs {
		if ip, ok := parseIP(text, cluster); ok {
			out = append(out, Frontend{ip, protocol, uint16(port.Port)})
		}
	}
	for _, ip := range ingressIPs(svc, cluster) {
		out = append(out, Frontend{ip, protocol, uint16(port.Port)})
	}
	if port.NodePort < 1 || port.NodePort > 65535 {
		return out
	}
	for _, ip := range node.Addresses {
		if ip.Is4() == cluster.Is4() {
			out = append(out, Frontend{ip, protocol, uint16(port.NodePort)})
		}
	}
	return out
}

// ingressIPs are the load balancer's addresses that this proxy serves itself; with ipMode Proxy, traffic has to pass the load balancer (KEP-1860).
func ingressIPs(svc *corev1.Service, cluster netip.Addr) []netip.Addr {
	var out []netip.Addr
	if svc.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return out
	}
	for _, ingress := range svc.Status.LoadBalancer.Ingress {
		if ingress.IPMode != nil && *ingress.IPMode == corev1.LoadBalancerIPModeProxy {
			continue
		}
		if ip, ok := parseIP(ingress.IP, cluster); ok {
			out = append(out, ip)
		}
	}
	return out
}

func clusterIPs(svc *corev1.Service) []netip.Addr {
	texts := svc.Spec.ClusterIPs
	if len(texts) == 0 {
		texts = []string{svc.Spec.ClusterIP}
	}
	var out []netip.Addr
	for _, text := range texts {
		if ip, err := netip.ParseAddr(text); err == nil {
			out = append(out, ip)
		}
	}
	return out
}

// parseIP reads an address of the same family as like.
func parseIP(text string, like netip.Addr) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(text)
	return ip, err == nil && ip.Is4() == like.Is4()
}

func stickiness(svc *corev1.Service) uint32 {
	if svc.Spec.SessionAffinity != corev1.ServiceAffinityClientIP {
		return 0
	}
	if c := svc.Spec.SessionAffinityConfig; c != nil && c.ClientIP != nil && c.ClientIP.TimeoutSeconds != nil && *c.ClientIP.TimeoutSeconds > 0 {
		return uint32(*c.ClientIP.TimeoutSeconds)
	}
	return defaultSticky
}

func familyOf(ip netip.Addr) discoveryv1.AddressType {
	if ip.Is4() {
		return discoveryv1.AddressTypeIPv4
	}
	return discoveryv1.AddressTypeIPv6
}

func protocolOf(p corev1.Protocol) (Protocol, bool) {
	switch p {
	case corev1.ProtocolTCP, "":
		return TCP, true
	case corev1.ProtocolUDP:
		return UDP, true
	case corev1.ProtocolSCTP:
		return SCTP, true
	}
	return 0, false
}
