package core

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// serviceWarnings are about what a service says in vain, or in an old way.
func serviceWarnings(_ context.Context, s, _ *corev1.Service) []string {
	spec := &s.Spec
	var all []string
	if _, old := s.Annotations[corev1.DeprecatedAnnotationTopologyAwareHints]; old {
		all = append(all, "annotation "+corev1.DeprecatedAnnotationTopologyAwareHints+" is deprecated, please use "+corev1.AnnotationTopologyMode+" instead")
	}
	if spec.ClusterIP == corev1.ClusterIPNone {
		all = append(all, headlessWarnings(spec)...)
	} else {
		all = append(all, addressWarnings(spec)...)
	}
	if spec.Type != corev1.ServiceTypeExternalName && spec.ExternalName != "" {
		all = append(all, `spec.externalName is ignored when spec.type is not "ExternalName"`)
	}
	if d := spec.TrafficDistribution; d != nil && *d == corev1.ServiceTrafficDistributionPreferClose {
		all = append(all, `spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"`)
	}
	return all
}

func headlessWarnings(spec *corev1.ServiceSpec) []string {
	var all []string
	if spec.LoadBalancerIP != "" {
		all = append(all, "spec.loadBalancerIP is ignored for headless services")
	}
	if len(spec.ExternalIPs) > 0 {
		all = append(all, "spec.externalIPs is ignored for headless services")
	}
	if spec.SessionAffinity != corev1.ServiceAffinityNone {
		all = append(all, "spec.SessionAffinity is ignored for headless services") // so stock spells it
	}
	return all
}

func addressWarnings(spec *corev1.ServiceSpec) []string {
	path := field.NewPath("spec")
	var all []string
	for i, ip := range spec.ClusterIPs {
		all = append(all, validation.GetWarningsForIP(path.Child("clusterIPs").Index(i), ip)...)
	}
	for i, ip := range spec.ExternalIPs {
		all = append(all, validation.GetWarningsForIP(path.Child("externalIPs").Index(i), ip)...)
	}
	if len(spec.ExternalIPs) > 0 {
		all = append(all, "spec.externalIPs is deprecated and may no longer be implemented in some clusters")
	}
	// Whether it is an address is nobody's rule.
	if netutils.ParseIPSloppy(spec.LoadBalancerIP) != nil {
		all = append(all, validation.GetWarningsForIP(path.Child("loadBalancerIP"), spec.LoadBalancerIP)...)
	}
	return all
}

// serviceStatusWarnings are about addresses in an unusual form that were not there before.
func serviceStatusWarnings(_ context.Context, s, old *corev1.Service) []string {
	var all []string
	for i, ingress := range s.Status.LoadBalancer.Ingress {
		known := slices.ContainsFunc(old.Status.LoadBalancer.Ingress, func(was corev1.LoadBalancerIngress) bool { return was.IP == ingress.IP })
		if ingress.IP != "" && !known {
			all = append(all, validation.GetWarningsForIP(field.NewPath("status", "loadBalancer", "ingress").Index(i), ingress.IP)...)
		}
	}
	return all
}
