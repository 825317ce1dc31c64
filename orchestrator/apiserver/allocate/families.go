package allocate

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func headless(s *corev1.Service) bool { return s.Spec.ClusterIP == corev1.ClusterIPNone }

// freeOfFamilies is a headless Service whose endpoints others make by hand: they may use both (API doc of ipFamilies).
func freeOfFamilies(s *corev1.Service) bool { return headless(s) && len(s.Spec.Selector) == 0 }

// unserved is what a Service asks for that this cluster, which has one family, cannot give.
func (s *Services) unserved(wanted *corev1.Service) field.ErrorList {
	spec, path := &wanted.Spec, field.NewPath("spec")
	if spec.Type == corev1.ServiceTypeExternalName || freeOfFamilies(wanted) {
		return nil
	}
	var faults field.ErrorList
	if spec.IPFamilyPolicy != nil && *spec.IPFamilyPolicy == corev1.IPFamilyPolicyRequireDualStack {
		faults = append(faults, field.Invalid(path.Child("ipFamilyPolicy"), *spec.IPFamilyPolicy, "this cluster is not configured for dual-stack services"))
	}
	for i, family := range spec.IPFamilies {
		if family != s.family {
			faults = append(faults, field.Invalid(path.Child("ipFamilies").Index(i), family, "not configured on this cluster"))
		}
	}
	for i, ip := range spec.ClusterIPs {
		if family := familyOf(ip); len(spec.IPFamilies) == 0 && ip != corev1.ClusterIPNone && family != s.family {
			faults = append(faults, field.Invalid(path.Child("clusterIPs").Index(i), spec.ClusterIPs, fmt.Sprintf("%s is not configured on this cluster", family)))
		}
	}
	return faults
}

func familyOf(ip string) corev1.IPFamily {
	if strings.Contains(ip, ":") {
		return corev1.IPv6Protocol
	}
	return corev1.IPv4Protocol
}

// setFamilies fills in the families of addresses, as far as the Service leaves them open.
func (s *Services) setFamilies(wanted *corev1.Service) {
	spec := &wanted.Spec
	if spec.IPFamilyPolicy == nil {
		policy := corev1.IPFamilyPolicySingleStack
		if freeOfFamilies(wanted) {
			policy = corev1.IPFamilyPolicyRequireDualStack
		}
		spec.IPFamilyPolicy = &policy
	}
	if len(spec.IPFamilies) == 0 {
		spec.IPFamilies = []corev1.IPFamily{s.family}
		if len(spec.ClusterIPs) > 0 && !headless(wanted) {
			spec.IPFamilies[0] = familyOf(spec.ClusterIPs[0])
		}
	}
	if freeOfFamilies(wanted) && *spec.IPFamilyPolicy != corev1.IPFamilyPolicySingleStack && len(spec.IPFamilies) == 1 {
		second := corev1.IPv6Protocol
		if spec.IPFamilies[0] == second {
			second = corev1.IPv4Protocol
		}
		spec.IPFamilies = append(slices.Clone(spec.IPFamilies), second)
	}
}
