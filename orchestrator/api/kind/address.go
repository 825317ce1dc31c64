package kind

import (
	"net/netip"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// SpecialAddress refuses addresses to which a proxy must not send traffic on somebody's behalf: unspecified, loopback, link-local.
func SpecialAddress(text string, path *field.Path) field.ErrorList {
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return field.ErrorList{field.Invalid(path, text, "must be a valid IP address")}
	}
	refuse := func(why string) field.ErrorList { return field.ErrorList{field.Invalid(path, text, why)} }
	switch {
	case ip.IsUnspecified():
		return refuse("may not be unspecified (0.0.0.0 or ::)")
	case ip.IsLoopback():
		return refuse("may not be in the loopback range (127.0.0.0/8, ::1/128)")
	case ip.IsLinkLocalUnicast():
		return refuse("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
	case ip.IsLinkLocalMulticast():
		return refuse("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
	}
	return nil
}
