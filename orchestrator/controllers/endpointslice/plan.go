package endpointslice

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/endpoints"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
)

const (
	manager = "endpointslice-controller.k8s.io"
	// capacity of one slice, as --max-endpoints-per-slice is by default.
	capacity = 100
)

// group is what one slice may hold together: one address family, one set of ports.
type group struct {
	family    discovery.AddressType
	ports     []discovery.EndpointPort
	endpoints []discovery.Endpoint
}

func (g group) key() string { return portsKey(g.family, g.ports) }

func portsKey(family discovery.AddressType, ports []discovery.EndpointPort) string {
	ports = slices.Clone(ports)
	slices.SortFunc(ports, func(a, b discovery.EndpointPort) int { return cmp.Compare(*orZero(a.Name), *orZero(b.Name)) })
	text, err := json.Marshal(ports)
	if err != nil {
		return string(family) // EndpointPorts always marshal
	}
	return string(family) + string(text)
}

func orZero[T any](p *T) *T {
	if p == nil {
		return new(T)
	}
	return p
}

// groups of a Service's pods. nodes by name give zones.
func groups(s *core.Service, mine []*core.Pod, nodes map[string]*core.Node) []group {
	byKey := map[string]*group{}
	for _, family := range s.Spec.IPFamilies {
		for _, p := range mine {
			ip := addressOf(p, family)
			if ip == "" || !endpoints.Listed(p, true) {
				continue
			}
			g := group{family: discovery.AddressType(family), ports: portsOf(s, p)}
			if byKey[g.key()] == nil {
				byKey[g.key()] = &g
			}
			held := byKey[g.key()]
			held.endpoints = append(held.endpoints, endpointOf(s, p, ip, nodes[p.Spec.NodeName]))
		}
	}
	out := make([]group, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		hint(s, byKey[key].endpoints)
		out = append(out, *byKey[key])
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

// changes to the slices of a Service.
type changes struct {
	create, update []*discovery.EndpointSlice
	remove         []*discovery.EndpointSlice
}

// plan brings the slices nearer to the groups with few writes: an endpoint stays in the slice where it is, a new one goes where room is.
func plan(s *core.Service, wanted []group, existing []*discovery.EndpointSlice) changes {
	var c changes
	used := map[string][]*discovery.EndpointSlice{}
	desired := map[string]bool{}
	for _, g := range wanted {
		desired[g.key()] = true
	}
	for _, slice := range existing {
		key := portsKey(slice.AddressType, slice.Ports)
		if desired[key] {
			used[key] = append(used[key], slice)
		} else {
			c.remove = append(c.remove, slice)
		}
	}
	for _, g := range wanted {
		c.fill(s, g, used[g.key()])
	}
	if len(wanted) == 0 {
		c.placeholders(s)
	}
	return c
}

// fill the slices of one group.
func (c *changes) fill(s *core.Service, g group, slots []*discovery.EndpointSlice) {
	missing := map[string]discovery.Endpoint{}
	for _, e := range g.endpoints {
		missing[identityOf(e)] = e
	}
	next := make([]*discovery.EndpointSlice, len(slots))
	for i, slice := range slots {
		next[i] = slice.DeepCopy()
		next[i].Endpoints = nil
		for _, e := range slice.Endpoints {
			if now, ok := missing[identityOf(e)]; ok {
				next[i].Endpoints = append(next[i].Endpoints, now)
				delete(missing, identityOf(e))
			}
		}
	}
	rest := slices.Sorted(maps.Keys(missing))
	for i := range next {
		for len(rest) > 0 && len(next[i].Endpoints) < capacity {
			next[i].Endpoints = append(next[i].Endpoints, missing[rest[0]])
			rest = rest[1:]
		}
	}
	for len(rest) > 0 {
		slice := blank(s, g.family, g.ports)
		for len(rest) > 0 && len(slice.Endpoints) < capacity {
			slice.Endpoints = append(slice.Endpoints, missing[rest[0]])
			rest = rest[1:]
		}
		c.create = append(c.create, slice)
	}
	for i, slice := range next {
		dress(s, slice)
		switch {
		case len(slice.Endpoints) == 0:
			c.remove = append(c.remove, slots[i])
		case !equality.Semantic.DeepEqual(slice, slots[i]):
			c.update = append(c.update, slice)
		}
	}
}

func identityOf(e discovery.Endpoint) string {
	id := e.Addresses[0]
	if e.TargetRef != nil {
		id = string(e.TargetRef.UID) + " " + id
	}
	return id
}

// placeholders tell that the Service was read and has no endpoints: one empty slice per family, the one that is there if there is one.
func (c *changes) placeholders(s *core.Service) {
	for _, family := range s.Spec.IPFamilies {
		at := slices.IndexFunc(c.remove, func(slice *discovery.EndpointSlice) bool { return slice.AddressType == discovery.AddressType(family) })
		if at < 0 {
			c.create = append(c.create, blank(s, discovery.AddressType(family), nil))
			continue
		}
		was := c.remove[at]
		c.remove = slices.Delete(c.remove, at, at+1)
		slice := was.DeepCopy()
		slice.Endpoints, slice.Ports = nil, nil
		dress(s, slice)
		if !equality.Semantic.DeepEqual(slice, was) {
			c.update = append(c.update, slice)
		}
	}
}

func blank(s *core.Service, family discovery.AddressType, ports []discovery.EndpointPort) *discovery.EndpointSlice {
	slice := &discovery.EndpointSlice{
		ObjectMeta: meta.ObjectMeta{
			Namespace: s.Namespace, GenerateName: s.Name + "-",
			OwnerReferences: []meta.OwnerReference{*meta.NewControllerRef(s, core.SchemeGroupVersion.WithKind("Service"))},
		},
		AddressType: family, Ports: ports, Endpoints: []discovery.Endpoint{},
	}
	dress(s, slice)
	return slice
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
