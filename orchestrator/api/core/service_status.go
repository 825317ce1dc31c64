package core

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// validateServiceStatus covers where a load balancer says that it can be reached.
func validateServiceStatus(_ context.Context, s, old *corev1.Service) field.ErrorList {
	path, ingress := field.NewPath("status", "loadBalancer", "ingress"), s.Status.LoadBalancer.Ingress
	if len(ingress) > 0 && s.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return field.ErrorList{field.Forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")}
	}
	var had []string
	for _, i := range old.Status.LoadBalancer.Ingress {
		had = append(had, i.IP)
	}
	var errs field.ErrorList
	for i := range ingress {
		errs = append(errs, validateServiceIngress(&ingress[i], had, path.Index(i))...)
	}
	return errs
}

func validateServiceIngress(i *corev1.LoadBalancerIngress, had []string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if i.IP != "" {
		errs = append(errs, validation.IsValidIPForLegacyField(path.Child("ip"), i.IP, true, had)...)
	}
	at := path.Child("ipMode")
	switch {
	case i.IP != "" && i.IPMode == nil:
		errs = append(errs, field.Required(at, "must be specified when `ip` is set"))
	case i.IP == "" && i.IPMode != nil:
		errs = append(errs, field.Forbidden(at, "may not be specified when `ip` is not set"))
	case i.IPMode != nil && *i.IPMode != corev1.LoadBalancerIPModeProxy && *i.IPMode != corev1.LoadBalancerIPModeVIP:
		errs = append(errs, field.NotSupported(at, *i.IPMode, []corev1.LoadBalancerIPMode{corev1.LoadBalancerIPModeProxy, corev1.LoadBalancerIPModeVIP}))
	}
	if i.Hostname == "" {
		return errs
	}
	at = path.Child("hostname")
	for _, msg := range validation.IsDNS1123Subdomain(i.Hostname) {
		errs = append(errs, field.Invalid(at, i.Hostname, msg))
	}
	if netutils.ParseIPSloppy(i.Hostname) != nil {
		errs = append(errs, field.Invalid(at, i.Hostname, "must be a DNS name, not an IP address"))
	}
	return errs
}
