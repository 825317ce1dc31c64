package endpoints

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
)

const (
	managedBy  = "endpoints.kubernetes.io/managed-by"
	manager    = "endpoint-controller"
	capacity   = 1000
	overFull   = "truncated"
	overfilled = core.EndpointsOverCapacity
)

// subsets lists the pods of a Service by the ports that they serve.
func subsets(s *core.Service, mine []*core.Pod) ([]core.EndpointSubset, bool) {
	groups, order := map[string]*core.EndpointSubset{}, []string{}
	count := 0
	full := false
	for _, p := range mine {
		ip := address(s, p)
		if ip == "" || !Listed(p, Tolerant(s)) {
			continue
		}
		ports := portsOf(s, p)
		if ports == nil && len(s.Spec.Ports) > 0 {
			continue
		}
		if count++; count > capacity {
			full = true
			break
		}
		key := keyOf(ports)
		if groups[key] == nil {
			groups[key] = &core.EndpointSubset{Ports: ports}
			order = append(order, key)
		}
		a := core.EndpointAddress{IP: ip, TargetRef: &core.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID}}
		if p.Spec.NodeName != "" {
			a.NodeName = &p.Spec.NodeName
		}
		if p.Spec.Hostname != "" && p.Spec.Subdomain == s.Name {
			a.Hostname = p.Spec.Hostname
		}
		if pods.Ready(p) || Tolerant(s) {
			groups[key].Addresses = append(groups[key].Addresses, a)
		} else {
			groups[key].NotReadyAddresses = append(groups[key].NotReadyAddresses, a)
		}
	}
	byIP := func(a, b core.EndpointAddress) int { return cmp.Compare(a.IP, b.IP) }
	slices.Sort(order)
	var out []core.EndpointSubset
	for _, key := range order {
		slices.SortFunc(groups[key].Addresses, byIP)
		slices.SortFunc(groups[key].NotReadyAddresses, byIP)
		out = append(out, *groups[key])
	}
	return out, full
}

// keyOf ports: the same for equal ones, whatever pointers they hold, so that the order of subsets does not change by itself.
func keyOf(ports []core.EndpointPort) string {
	var key strings.Builder
	for _, p := range ports {
		protocol := ""
		if p.AppProtocol != nil {
			protocol = *p.AppProtocol
		}
		fmt.Fprintf(&key, "%q %s %d %s\n", p.Name, p.Protocol, p.Port, protocol)
	}
	return key.String()
}

func portsOf(s *core.Service, p *core.Pod) []core.EndpointPort {
	var out []core.EndpointPort
	for i := range s.Spec.Ports {
		sp := &s.Spec.Ports[i]
		if n, ok := Port(p, sp); ok {
			out = append(out, core.EndpointPort{Name: sp.Name, Port: n, Protocol: sp.Protocol, AppProtocol: sp.AppProtocol})
		}
	}
	slices.SortFunc(out, func(a, b core.EndpointPort) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// address of the pod in the Service's first family.
func address(s *core.Service, p *core.Pod) string {
	six := len(s.Spec.IPFamilies) > 0 && s.Spec.IPFamilies[0] == core.IPv6Protocol
	for _, ip := range p.Status.PodIPs {
		if parsed, err := netip.ParseAddr(ip.IP); err == nil && parsed.Is6() == six {
			return ip.IP
		}
	}
	return ""
}

// labelsOf the Endpoints of a Service.
func labelsOf(s *core.Service) map[string]string {
	out := maps.Clone(s.Labels)
	if out == nil {
		out = map[string]string{}
	}
	delete(out, core.IsHeadlessService)
	if Headless(s) {
		out[core.IsHeadlessService] = ""
	}
	out[managedBy] = manager
	return out
}
