package kind

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// SpecialAddress refuses addresses to which a proxy must not send traffic on somebody's behalf: unspecified, loopback, link-local. It reads an
// address as loosely as the oldest fields do, so that no way of writing one passes by: what is wrong with the form is for others to say.
func SpecialAddress(text string, path *field.Path) field.ErrorList {
	ip := netutils.ParseIPSloppy(text)
	if ip == nil {
		return field.ErrorList{field.Invalid(path, text, "must be a valid IP address")}
	}
	refuse := func(why string) field.ErrorList { return field.ErrorList{field.Invalid(path, text, why)} }
	switch {
	case ip.IsUnspecified():
		return refuse(fmt.Sprintf("may not be unspecified (%s)", text))
	case ip.IsLoopback():
		return refuse("may not be in the loopback range (127.0.0.0/8, ::1/128)")
	case ip.IsLinkLocalUnicast():
		return refuse("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
	case ip.IsLinkLocalMulticast():
		return refuse("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
	}
	return nil
}
