package discovery

import (
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
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
			errs = append(errs, field.Required(at.Child("addresses"), "must contain at least 1 address"))
		} else if len(e.Addresses) > maxAddresses {
			errs = append(errs, field.TooMany(at.Child("addresses"), len(e.Addresses), maxAddresses))
		}
		for j, address := range e.Addresses {
			errs = append(errs, validateAddress(s.AddressType, address, at.Child("addresses").Index(j))...)
		}
	}
	if len(s.Ports) > maxPorts {
		errs = append(errs, field.TooMany(field.NewPath("ports"), len(s.Ports), maxPorts))
	}
	names := map[string]bool{}
	for i, p := range s.Ports {
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
	if len(errs) == 0 && !of {
		errs = append(errs, field.Invalid(path, address, otherwise))
	}
	return errs
}
