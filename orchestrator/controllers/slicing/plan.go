// Package slicing deals endpoints out to EndpointSlices with few writes: an endpoint stays in the slice where it is, a new one goes where room is.
//
// Packages endpointslice (for the pods of Services) and mirroring (for Endpoints that people write) feed it what should be there; it feeds their changes
// to the apiserver. It decides nothing of what an endpoint is.
package slicing

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Capacity of one slice, as --max-endpoints-per-slice is by default.
const Capacity = 100

// Group is what one slice may hold together: one address family, one set of ports.
type Group struct {
	Family    discovery.AddressType
	Ports     []discovery.EndpointPort
	Endpoints []discovery.Endpoint
}

// Key is equal for groups that may share slices.
func (g Group) Key() string { return portsKey(g.Family, g.Ports) }

// Gather collects endpoints by what may share a slice, in the order of their keys.
func Gather(parts []Group) []Group {
	byKey := map[string]*Group{}
	for _, p := range parts {
		key := p.Key()
		held := byKey[key]
		if held == nil {
			held = &Group{Family: p.Family, Ports: p.Ports}
			byKey[key] = held
		}
		held.Endpoints = append(held.Endpoints, p.Endpoints...)
	}
	out := make([]Group, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		out = append(out, *byKey[key])
	}
	return out
}

// portsKey reads ports as the apiserver keeps them: none, whether nil or empty, and its defaults written out. What it is given to write and what it
// shows afterwards are equal.
func portsKey(family discovery.AddressType, ports []discovery.EndpointPort) string {
	lines := make([]string, len(ports))
	for i, p := range ports {
		protocol := core.ProtocolTCP
		if p.Protocol != nil {
			protocol = *p.Protocol
		}
		number := "any"
		if p.Port != nil {
			number = strconv.Itoa(int(*p.Port))
		}
		lines[i] = strconv.Quote(*orZero(p.Name)) + " " + string(protocol) + " " + number + " " + *orZero(p.AppProtocol)
	}
	slices.Sort(lines)
	return string(family) + "\n" + strings.Join(lines, "\n")
}

func orZero[T any](p *T) *T {
	if p == nil {
		return new(T)
	}
	return p
}

// Owner of a family of slices.
type Owner struct {
	Object meta.Object
	Ref    meta.OwnerReference
	// Dress gives a slice its labels and annotations.
	Dress func(*discovery.EndpointSlice)
	// Families get an empty slice each when there is no endpoint at all: it tells readers that the owner was looked at. Nil for none.
	Families []discovery.AddressType
}

// Changes to the slices of an owner.
type Changes struct {
	Create, Update, Remove []*discovery.EndpointSlice
}

// Plan brings the existing slices of an owner to what is wanted; groups have distinct keys.
func Plan(s Owner, wanted []Group, existing []*discovery.EndpointSlice) Changes {
	var c Changes
	used := map[string][]*discovery.EndpointSlice{}
	desired := map[string]bool{}
	for _, g := range wanted {
		desired[g.Key()] = true
	}
	for _, slice := range existing {
		key := portsKey(slice.AddressType, slice.Ports)
		if desired[key] {
			used[key] = append(used[key], slice)
		} else {
			c.Remove = append(c.Remove, slice)
		}
	}
	for _, g := range wanted {
		c.fill(s, g, used[g.Key()])
	}
	if len(wanted) == 0 {
		c.placeholders(s)
	}
	return c
}

// fill the slices of one group.
func (c *Changes) fill(s Owner, g Group, slots []*discovery.EndpointSlice) {
	missing := map[string]discovery.Endpoint{}
	for _, e := range g.Endpoints {
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
		for len(rest) > 0 && len(next[i].Endpoints) < Capacity {
			next[i].Endpoints = append(next[i].Endpoints, missing[rest[0]])
			rest = rest[1:]
		}
	}
	for len(rest) > 0 {
		slice := blank(s, g.Family, g.Ports)
		for len(rest) > 0 && len(slice.Endpoints) < Capacity {
			slice.Endpoints = append(slice.Endpoints, missing[rest[0]])
			rest = rest[1:]
		}
		c.Create = append(c.Create, slice)
	}
	for i, slice := range next {
		s.Dress(slice)
		switch {
		case len(slice.Endpoints) == 0:
			c.Remove = append(c.Remove, slots[i])
		case !equality.Semantic.DeepEqual(slice, slots[i]):
			c.Update = append(c.Update, slice)
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

// placeholders tell that the owner was read and has no endpoints: one empty slice per family, the one that is there if there is one.
func (c *Changes) placeholders(s Owner) {
	for _, family := range s.Families {
		at := slices.IndexFunc(c.Remove, func(slice *discovery.EndpointSlice) bool { return slice.AddressType == family })
		if at < 0 {
			c.Create = append(c.Create, blank(s, family, nil))
			continue
		}
		was := c.Remove[at]
		c.Remove = slices.Delete(c.Remove, at, at+1)
		slice := was.DeepCopy()
		slice.Endpoints, slice.Ports = nil, nil
		s.Dress(slice)
		if !equality.Semantic.DeepEqual(slice, was) {
			c.Update = append(c.Update, slice)
		}
	}
}

func blank(s Owner, family discovery.AddressType, ports []discovery.EndpointPort) *discovery.EndpointSlice {
	slice := &discovery.EndpointSlice{
		ObjectMeta: meta.ObjectMeta{
			Namespace: s.Object.GetNamespace(), GenerateName: s.Object.GetName() + "-", OwnerReferences: []meta.OwnerReference{s.Ref},
		},
		AddressType: family, Ports: ports, Endpoints: []discovery.Endpoint{},
	}
	s.Dress(slice)
	return slice
}
