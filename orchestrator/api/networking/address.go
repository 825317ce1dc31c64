package networking

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// IPAddress is the catalogue entry of ipaddresses: the creation of one claims a cluster IP, its name being the address.
func IPAddress() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: networkingv1.GroupName, Kind: "IPAddress", Resource: "ipaddresses", Singular: "ipaddress",
			ShortNames: []string{"ip"}},
		Versions: []kind.Version{kind.Served("v1", &networkingv1.IPAddress{}, &networkingv1.IPAddressList{})},
		Storage:  kind.Stored("ipaddresses", networkingv1.SchemeGroupVersion, &networkingv1.IPAddress{}),
		Columns:  kind.Table("Name;ParentRef", map[string]string{"ParentRef": networkingv1.IPAddressSpec{}.SwaggerDoc()["parentRef"]}),
		Cells: kind.Cells(func(a *networkingv1.IPAddress, _ time.Time) []any {
			return []any{a.Name, parentText(a.Spec.ParentRef)}
		}),
		Rules: kind.Typed[*networkingv1.IPAddress]{
			ValidateCreate: func(_ context.Context, a *networkingv1.IPAddress) field.ErrorList {
				return validateParent(a.Spec.ParentRef)
			},
			ValidateUpdate: func(_ context.Context, a, old *networkingv1.IPAddress) field.ErrorList {
				if equality.Semantic.DeepEqual(a.Spec, old.Spec) {
					return nil
				}
				return field.ErrorList{field.Invalid(field.NewPath("spec", "parentRef"), nil, "field is immutable")}
			},
			ValidName: addressName,
		}.Rules(),
	}
}

// addressName: one address has one name, so only the canonical form will do.
func addressName(name string, _ bool) []string {
	address, err := netip.ParseAddr(name)
	if err != nil || address.Zone() != "" {
		if netutils.ParseIPSloppy(name) != nil {
			return []string{"must not have leading 0s"}
		}
		return []string{"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"}
	}
	if address.String() != name {
		return []string{fmt.Sprintf("must be in canonical form (%q)", address)}
	}
	return nil
}

func parentText(p *networkingv1.ParentReference) string {
	if p == nil {
		return "<none>"
	}
	text := p.Resource
	if p.Group != "" {
		text += "." + p.Group
	}
	if p.Namespace != "" {
		text += "/" + p.Namespace
	}
	return strings.TrimSuffix(text+"/"+p.Name, "/")
}

func validateParent(p *networkingv1.ParentReference) field.ErrorList {
	at := field.NewPath("spec", "parentRef")
	if p == nil {
		return field.ErrorList{field.Required(at, "")}
	}
	var errs field.ErrorList
	if p.Resource == "" {
		errs = append(errs, field.Required(at.Child("resource"), ""))
	}
	if p.Name == "" {
		errs = append(errs, field.Required(at.Child("name"), ""))
	}
	return errs
}

// ServiceCIDR is the catalogue entry of servicecidrs.
func ServiceCIDR() kind.Kind {
	return kind.Kind{
		Names:    kind.Names{Group: networkingv1.GroupName, Kind: "ServiceCIDR", Resource: "servicecidrs", Singular: "servicecidr"},
		Versions: []kind.Version{kind.Served("v1", &networkingv1.ServiceCIDR{}, &networkingv1.ServiceCIDRList{})},
		Storage:  kind.Stored("servicecidrs", networkingv1.SchemeGroupVersion, &networkingv1.ServiceCIDR{}),
		Columns:  kind.Table("Name;CIDRs;Age", map[string]string{"CIDRs": networkingv1.ServiceCIDRSpec{}.SwaggerDoc()["cidrs"]}),
		Cells: kind.Cells(func(c *networkingv1.ServiceCIDR, now time.Time) []any {
			return []any{c.Name, strings.Join(c.Spec.CIDRs, ","), kind.Age(c, now)}
		}),
		Rules: kind.Typed[*networkingv1.ServiceCIDR]{
			PrepareCreate:  func(_ context.Context, c *networkingv1.ServiceCIDR) { c.Status = networkingv1.ServiceCIDRStatus{} },
			PrepareUpdate:  func(_ context.Context, c, old *networkingv1.ServiceCIDR) { c.Status = old.Status },
			ValidateCreate: validateCIDRs,
			ValidateUpdate: func(_ context.Context, c, old *networkingv1.ServiceCIDR) field.ErrorList {
				if equality.Semantic.DeepEqual(c.Spec, old.Spec) {
					return nil
				}
				return validateSameCIDRs(c, old)
			},
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.StatusKept(func(c, old *networkingv1.ServiceCIDR) {
				c.Spec = old.Spec
				metav1.ResetObjectMetaForStatus(&c.ObjectMeta, &old.ObjectMeta)
			}, "metadata", "spec"),
		},
	}
}

func validateCIDRs(_ context.Context, c *networkingv1.ServiceCIDR) field.ErrorList {
	at := field.NewPath("spec", "cidrs")
	if len(c.Spec.CIDRs) == 0 {
		return field.ErrorList{field.Required(at, "at least one CIDR required")}
	}
	if len(c.Spec.CIDRs) > 2 {
		return field.ErrorList{field.Invalid(at, kind.Untagged(c.Spec), "may only hold up to 2 values")}
	}
	var errs field.ErrorList
	for i, cidr := range c.Spec.CIDRs {
		errs = append(errs, validation.IsValidCIDR(at.Index(i), cidr)...)
	}
	if len(errs) == 0 && len(c.Spec.CIDRs) == 2 && strings.Contains(c.Spec.CIDRs[0], ":") == strings.Contains(c.Spec.CIDRs[1], ":") {
		errs = append(errs, field.Invalid(at, c.Spec.CIDRs, "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"))
	}
	return errs
}

// validateSameCIDRs: a second family may be added, nothing else changes.
func validateSameCIDRs(c, old *networkingv1.ServiceCIDR) field.ErrorList {
	var errs field.ErrorList
	at := field.NewPath("spec", "cidrs")
	for i, cidr := range old.Spec.CIDRs {
		if i >= len(c.Spec.CIDRs) {
			return append(errs, field.Invalid(at, c.Spec.CIDRs, "field is immutable"))
		}
		if c.Spec.CIDRs[i] != cidr {
			errs = append(errs, field.Invalid(at.Index(i), c.Spec.CIDRs[i], "field is immutable"))
		}
	}
	return errs
}
