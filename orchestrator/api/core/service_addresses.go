package core

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// maxFamilies that there are: IPv4 and IPv6.
const maxFamilies = 2

// validateClusterIPs covers clusterIP, clusterIPs and the families, which must tell the same story (KEP-563). What this cluster has is for the
// allocator to say.
func validateClusterIPs(spec *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if spec.Type == corev1.ServiceTypeExternalName {
		for _, f := range []struct {
			set  bool
			name string
		}{{len(spec.ClusterIPs) > 0, "clusterIPs"}, {len(spec.IPFamilies) > 0, "ipFamilies"}, {spec.IPFamilyPolicy != nil, "ipFamilyPolicy"}} {
			if f.set {
				errs = append(errs, field.Forbidden(path.Child(f.name), "may not be set for ExternalName services"))
			}
		}
		return errs
	}
	errs = validateFamilies(spec, path)
	at := path.Child("clusterIPs")
	refuse := func(why string) { errs = append(errs, field.Invalid(at, spec.ClusterIPs, why)) }
	switch {
	case len(spec.ClusterIPs) == 0:
		return errs
	case spec.ClusterIP == "":
		refuse("must be empty when `clusterIP` is not specified")
	case spec.ClusterIPs[0] != spec.ClusterIP:
		refuse("first value must match `clusterIP`")
	}
	if slices.Contains(spec.ClusterIPs, corev1.ClusterIPNone) {
		if len(spec.ClusterIPs) > 1 {
			refuse("'None' must be the first and only value")
		}
		return errs
	}
	if len(spec.ClusterIPs) > maxFamilies {
		refuse("may only hold up to 2 values")
	}
	wellFormed := true
	for i, ip := range spec.ClusterIPs {
		faults := validation.IsValidIPForLegacyField(at.Index(i), ip, true, nil)
		wellFormed = wellFormed && len(faults) == 0
		errs = append(errs, faults...)
	}
	if !wellFormed {
		return errs
	}
	if len(spec.ClusterIPs) > 1 && (len(spec.ClusterIPs) > maxFamilies || isIPv6(spec.ClusterIPs[0]) == isIPv6(spec.ClusterIPs[1])) {
		refuse("may specify no more than one IP for each IP family")
	}
	for i, ip := range spec.ClusterIPs {
		if i < len(spec.IPFamilies) && isIPv6(ip) != (spec.IPFamilies[i] == corev1.IPv6Protocol) {
			errs = append(errs, field.Invalid(at.Index(i), ip, fmt.Sprintf("expected an %s value as indicated by `ipFamilies[%d]`", spec.IPFamilies[i], i)))
		}
	}
	return errs
}

func isIPv6(ip string) bool { return strings.Contains(ip, ":") }

func validateFamilies(spec *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	at := path.Child("ipFamilies")
	for i, family := range spec.IPFamilies {
		switch {
		case family != corev1.IPv4Protocol && family != corev1.IPv6Protocol:
			errs = append(errs, field.NotSupported(at.Index(i), family, []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}))
		case slices.Contains(spec.IPFamilies[:i], family):
			errs = append(errs, field.Duplicate(at.Index(i), family))
		}
	}
	policy := corev1.IPFamilyPolicySingleStack
	if spec.IPFamilyPolicy != nil {
		policy = *spec.IPFamilyPolicy
	}
	at = path.Child("ipFamilyPolicy")
	switch policy {
	case corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicyRequireDualStack:
	case corev1.IPFamilyPolicySingleStack:
		// A headless service whose endpoints others make has both families when nothing is said.
		said := spec.IPFamilyPolicy != nil || spec.ClusterIP != corev1.ClusterIPNone || len(spec.Selector) > 0
		if said && len(errs) == 0 && len(spec.IPFamilies) > 1 {
			errs = append(errs, field.Invalid(at, policy, "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"))
		}
	default:
		errs = append(errs, field.NotSupported(at, policy, []corev1.IPFamilyPolicy{
			corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicyRequireDualStack, corev1.IPFamilyPolicySingleStack}))
	}
	return errs
}

// validateAddressUpdate: a cluster IP stays as long as the service has one; a second family goes only by the policy.
func validateAddressUpdate(spec, was *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	if was.Type == corev1.ServiceTypeExternalName || spec.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	var errs field.ErrorList
	if at := path.Child("clusterIPs").Index(0); len(was.ClusterIPs) > 0 {
		if len(spec.ClusterIPs) == 0 {
			errs = append(errs, field.Invalid(at, "", "primary clusterIP can not be unset"))
		} else if spec.ClusterIPs[0] != was.ClusterIPs[0] {
			errs = append(errs, field.Invalid(at, spec.ClusterIPs, "may not change once set"))
		}
	}
	if len(was.IPFamilies) > 1 && len(spec.IPFamilies) == 1 && spec.IPFamilyPolicy != nil && *spec.IPFamilyPolicy != corev1.IPFamilyPolicySingleStack {
		errs = append(errs, field.Invalid(path.Child("ipFamilyPolicy"), *spec.IPFamilyPolicy, "must be 'SingleStack' to release the secondary IP family"))
	}
	return errs
}

// validateExternalIPs: an external address must not be one that only this machine knows.
func validateExternalIPs(ips []string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, ip := range ips {
		faults := validation.IsValidIPForLegacyField(path.Index(i), ip, true, nil)
		if len(faults) == 0 {
			faults = kind.SpecialAddress(ip, path.Index(i))
		}
		errs = append(errs, faults...)
	}
	return errs
}
