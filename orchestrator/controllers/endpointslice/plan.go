package endpointslice

import (
	"maps"
	"net/netip"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/endpoints"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/slicing"
)

const manager = "endpointslice-controller.k8s.io"

// nowhere are the nodes that pods are bound to and that do not exist: such a pod is published only by a Service that publishes whatever it selects.
func nowhere(s *core.Service, mine []*core.Pod, nodes map[string]*core.Node) []string {
	if endpoints.Tolerant(s) {
		return nil
	}
	var out []string
	for _, p := range mine {
		if nodes[p.Spec.NodeName] == nil && endpoints.Listed(p, true) {
			out = append(out, p.Spec.NodeName)
		}
	}
	return out
}

// groups of a Service's pods. nodes by name give zones.
func groups(s *core.Service, mine []*core.Pod, nodes map[string]*core.Node) []slicing.Group {
	var parts []slicing.Group
	for _, family := range s.Spec.IPFamilies {
		for _, p := range mine {
			ip := addressOf(p, family)
			if ip == "" || !endpoints.Listed(p, true) {
				continue
			}
			if nodes[p.Spec.NodeName] == nil && !endpoints.Tolerant(s) {
				continue
			}
			parts = append(parts, slicing.Group{
				Family: discovery.AddressType(family), Ports: portsOf(s, p), Endpoints: []discovery.Endpoint{endpointOf(s, p, ip, nodes[p.Spec.NodeName])},
			})
		}
	}
	out := slicing.Gather(parts)
	for _, g := range out {
		hint(s, g.Endpoints)
	}
	return out
}

func addressOf(p *core.Pod, family core.IPFamily) string {
	for _, ip := range p.Status.PodIPs {
		if parsed, err := netip.ParseAddr(ip.IP); err == nil && parsed.Is6() == (family == core.IPv6Protocol) {
			return ip.IP
		}
	}
	return ""
}

func portsOf(s *core.Service, p *core.Pod) []discovery.EndpointPort {
	out := []discovery.EndpointPort{}
	for i := range s.Spec.Ports {
		sp := &s.Spec.Ports[i]
		if n, ok := endpoints.Port(p, sp); ok {
			out = append(out, discovery.EndpointPort{Name: &sp.Name, Port: &n, Protocol: &sp.Protocol, AppProtocol: sp.AppProtocol})
		}
	}
	return out
}

func endpointOf(s *core.Service, p *core.Pod, ip string, node *core.Node) discovery.Endpoint {
	serving, terminating := pods.Ready(p), p.DeletionTimestamp != nil
	ready := serving && !terminating || endpoints.Tolerant(s)
	e := discovery.Endpoint{
		Addresses:  []string{ip},
		Conditions: discovery.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating},
		TargetRef:  &core.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID},
	}
	if p.Spec.NodeName != "" {
		e.NodeName = &p.Spec.NodeName
	}
	if node != nil {
		if zone := node.Labels[core.LabelTopologyZone]; zone != "" {
			e.Zone = &zone
		}
	}
	if p.Spec.Hostname != "" && p.Spec.Subdomain == s.Name {
		e.Hostname = &p.Spec.Hostname
	}
	return e
}

// hint says for whom an endpoint is, where the Service asks for near traffic: its own zone, or its own node.
func hint(s *core.Service, all []discovery.Endpoint) {
	if s.Spec.TrafficDistribution == nil {
		return
	}
	for i := range all {
		e := &all[i]
		if !*e.Conditions.Ready {
			continue
		}
		h := &discovery.EndpointHints{}
		switch *s.Spec.TrafficDistribution {
		case core.ServiceTrafficDistributionPreferSameNode:
			if e.NodeName != nil {
				h.ForNodes = []discovery.ForNode{{Name: *e.NodeName}}
			}
		case core.ServiceTrafficDistributionPreferSameZone, core.ServiceTrafficDistributionPreferClose:
		default:
			continue
		}
		if e.Zone != nil {
			h.ForZones = []discovery.ForZone{{Name: *e.Zone}}
		}
		if h.ForNodes != nil || h.ForZones != nil {
			e.Hints = h
		}
	}
}

// owner of the slices of a Service.
func owner(s *core.Service) slicing.Owner {
	o := slicing.Owner{
		Object: s, Ref: *meta.NewControllerRef(s, core.SchemeGroupVersion.WithKind("Service")),
		Dress: func(slice *discovery.EndpointSlice) { dress(s, slice) },
	}
	for _, family := range s.Spec.IPFamilies {
		o.Families = append(o.Families, discovery.AddressType(family))
	}
	return o
}

// dress a slice with its Service's labels and our own.
func dress(s *core.Service, slice *discovery.EndpointSlice) {
	slice.Labels = maps.Clone(s.Labels)
	if slice.Labels == nil {
		slice.Labels = map[string]string{}
	}
	delete(slice.Labels, core.IsHeadlessService)
	if endpoints.Headless(s) {
		slice.Labels[core.IsHeadlessService] = ""
	}
	slice.Labels[discovery.LabelServiceName], slice.Labels[discovery.LabelManagedBy] = s.Name, manager
}
