package discovery

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Bounds of a slice (API doc of EndpointSlice).
const (
	maxEndpoints = 1000
	maxAddresses = 100
	maxPorts     = 20000
)

func validate(s *discoveryv1.EndpointSlice) field.ErrorList {
	errs := validateAddressType(s.AddressType)
	path := field.NewPath("endpoints")
	if len(s.Endpoints) > maxEndpoints {
		errs = append(errs, field.TooMany(path, len(s.Endpoints), maxEndpoints))
	}
	for i := range s.Endpoints {
		e, at := &s.Endpoints[i], path.Index(i)
		if len(e.Addresses) == 0 {
			errs = append(errs, field.Required(at.Child("addresses"), ""))
		} else if len(e.Addresses) > maxAddresses {
			errs = append(errs, field.TooMany(at.Child("addresses"), len(e.Addresses), maxAddresses))
		}
		errs = append(errs, validateEndpoint(e, at)...)
		for j, address := range e.Addresses {
			errs = append(errs, validateAddress(s.AddressType, address, at.Child("addresses").Index(j))...)
		}
	}
	if len(s.Ports) > maxPorts {
		errs = append(errs, field.TooMany(field.NewPath("ports"), len(s.Ports), maxPorts))
	}
	names := map[string]bool{}
	for i, p := range s.Ports {
		errs = append(errs, validatePort(&p, field.NewPath("ports").Index(i))...)
		if p.Name != nil && names[*p.Name] {
			errs = append(errs, field.Duplicate(field.NewPath("ports").Index(i).Child("name"), *p.Name))
		}
		if p.Name != nil {
			names[*p.Name] = true
		}
	}
	return errs
}

func validateAddressType(t discoveryv1.AddressType) field.ErrorList {
	path := field.NewPath("addressType")
	switch t {
	case discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6, discoveryv1.AddressTypeFQDN:
		return nil
	case "":
		return field.ErrorList{field.Required(path, "")}
	}
	return field.ErrorList{field.NotSupported(path, t,
		[]discoveryv1.AddressType{discoveryv1.AddressTypeFQDN, discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6})}
}

func validateAddress(t discoveryv1.AddressType, address string, path *field.Path) field.ErrorList {
	switch t {
	case discoveryv1.AddressTypeIPv4:
		return validateFamily(address, netutils.IsIPv4String(address), "must be an IPv4 address", path)
	case discoveryv1.AddressTypeIPv6:
		return validateFamily(address, netutils.IsIPv6String(address), "must be an IPv6 address", path)
	case discoveryv1.AddressTypeFQDN:
		return validation.IsFullyQualifiedDomainName(path, address)
	}
	return nil
}

// validateFamily also refuses what parses but is not written canonically.
func validateFamily(address string, of bool, otherwise string, path *field.Path) field.ErrorList {
	errs := validation.IsValidIP(path, address)
	if len(errs) > 0 {
		return errs
	}
	if !of {
		errs = append(errs, field.Invalid(parent(path), address, otherwise))
	}
	return append(errs, kind.SpecialAddress(address, path)...)
}

// parent is the list that an element's path stands for: stock names it, not the element.
func parent(path *field.Path) *field.Path {
	text := path.String()
	return field.NewPath(text[:strings.LastIndex(text, "[")])
}

func validateEndpoint(e *discoveryv1.Endpoint, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if e.NodeName != nil {
		for _, msg := range apivalidation.NameIsDNSSubdomain(*e.NodeName, false) {
			errs = append(errs, field.Invalid(path.Child("nodeName"), *e.NodeName, msg))
		}
	}
	if e.Hostname != nil {
		for _, msg := range validation.IsDNS1123Label(*e.Hostname) {
			errs = append(errs, field.Invalid(path.Child("hostname"), *e.Hostname, msg))
		}
	}
	if e.Hints != nil {
		zones := map[string]bool{}
		for i, z := range e.Hints.ForZones {
			at := path.Child("hints", "forZones").Index(i).Child("name")
			if zones[z.Name] {
				errs = append(errs, field.Duplicate(at, z.Name))
			}
			zones[z.Name] = true
		}
	}
	return errs
}

func validatePort(p *discoveryv1.EndpointPort, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if p.Protocol != nil && *p.Protocol != corev1.ProtocolTCP && *p.Protocol != corev1.ProtocolUDP && *p.Protocol != corev1.ProtocolSCTP {
		errs = append(errs, field.NotSupported(path.Child("protocol"), *p.Protocol, []corev1.Protocol{"SCTP", "TCP", "UDP"}))
	}
	if p.AppProtocol != nil {
		for _, msg := range validation.IsQualifiedName(*p.AppProtocol) {
			errs = append(errs, field.Invalid(path.Child("appProtocol"), *p.AppProtocol, msg))
		}
	}
	return errs
}
