package mirroring

import (
	"maps"
	"net/netip"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/endpoints"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/slicing"
)

const (
	manager = "endpointslicemirroring-controller.k8s.io"
	// maxPerSubset is how many addresses of one subset are mirrored (stock's --mirroring-max-endpoints-per-subset).
	maxPerSubset = 1000
)

// mirrored tells whether Endpoints are to be copied: a person wrote them for a Service without a selector, and did not ask to be left alone.
func mirrored(e *core.Endpoints, s *core.Service) bool {
	return e.DeletionTimestamp == nil && !endpoints.Lock(e) && e.Labels[discovery.LabelSkipMirror] != "true" && len(s.Spec.Selector) == 0
}

// groups of the addresses that Endpoints hold, and how many were too many.
func groups(e *core.Endpoints) (wanted []slicing.Group, left int) {
	var parts []slicing.Group
	for i := range e.Subsets {
		subset := &e.Subsets[i]
		ports := portsOf(subset.Ports)
		room := maxPerSubset
		for _, list := range []struct {
			addresses []core.EndpointAddress
			ready     bool
		}{{subset.Addresses, true}, {subset.NotReadyAddresses, false}} {
			for j := range list.addresses {
				if room == 0 {
					left++
					continue
				}
				if family, ok := familyOf(list.addresses[j].IP); ok {
					parts = append(parts, slicing.Group{Family: family, Ports: ports, Endpoints: []discovery.Endpoint{endpointOf(&list.addresses[j], list.ready)}})
					room--
				}
			}
		}
	}
	return slicing.Gather(parts), left
}

func familyOf(ip string) (discovery.AddressType, bool) {
	parsed, err := netip.ParseAddr(ip)
	switch {
	case err != nil:
		return "", false
	case parsed.Unmap().Is4():
		return discovery.AddressTypeIPv4, true
	}
	return discovery.AddressTypeIPv6, true
}

func portsOf(all []core.EndpointPort) []discovery.EndpointPort {
	var out []discovery.EndpointPort
	for i := range all {
		p := all[i]
		out = append(out, discovery.EndpointPort{Name: &p.Name, Port: &p.Port, Protocol: &p.Protocol, AppProtocol: p.AppProtocol})
	}
	return out
}

func endpointOf(a *core.EndpointAddress, ready bool) discovery.Endpoint {
	e := discovery.Endpoint{Addresses: []string{a.IP}, Conditions: discovery.EndpointConditions{Ready: &ready}, TargetRef: a.TargetRef, NodeName: a.NodeName}
	if a.Hostname != "" {
		e.Hostname = &a.Hostname
	}
	return e
}

// owner of the slices: the Endpoints, so that they go with it.
func owner(e *core.Endpoints) slicing.Owner {
	return slicing.Owner{
		Object: e, Ref: *meta.NewControllerRef(e, core.SchemeGroupVersion.WithKind("Endpoints")),
		Dress: func(slice *discovery.EndpointSlice) {
			slice.Labels = maps.Clone(e.Labels)
			if slice.Labels == nil {
				slice.Labels = map[string]string{}
			}
			slice.Labels[discovery.LabelServiceName], slice.Labels[discovery.LabelManagedBy] = e.Name, manager
			slice.Annotations = maps.Clone(e.Annotations)
			delete(slice.Annotations, core.LastAppliedConfigAnnotation)
			delete(slice.Annotations, core.EndpointsLastChangeTriggerTime)
			if len(slice.Annotations) == 0 {
				slice.Annotations = nil
			}
		},
	}
}
