package core

import (
	"context"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateService(_ context.Context, s *corev1.Service) field.ErrorList {
	spec, path := &s.Spec, field.NewPath("spec")
	var errs field.ErrorList
	headless := len(spec.ClusterIPs) > 0 && spec.ClusterIPs[0] == corev1.ClusterIPNone
	if len(spec.Ports) == 0 && !headless && spec.Type != corev1.ServiceTypeExternalName {
		errs = append(errs, field.Required(path.Child("ports"), ""))
	}
	errs = append(errs, validateServiceType(s, path)...)
	errs = append(errs, validateServicePorts(spec, path.Child("ports"))...)
	errs = append(errs, metavalidation.ValidateLabels(spec.Selector, path.Child("selector"))...)
	errs = append(errs, validateAffinity(spec, path)...)
	errs = append(errs, validateServiceIPs(spec, path)...)
	return append(errs, validateTraffic(s, path)...)
}

func validateServiceType(s *corev1.Service, path *field.Path) field.ErrorList {
	spec := &s.Spec
	var errs field.ErrorList
	switch spec.Type {
	case corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer:
		if spec.Type != corev1.ServiceTypeClusterIP && len(spec.ClusterIPs) > 0 && spec.ClusterIPs[0] == corev1.ClusterIPNone {
			errs = append(errs, field.Invalid(path.Child("clusterIPs").Index(0), spec.ClusterIPs[0], "may not be set to 'None' for "+string(spec.Type)+" services"))
		}
	case corev1.ServiceTypeExternalName:
		if len(spec.ClusterIPs) > 0 {
			errs = append(errs, field.Forbidden(path.Child("clusterIPs"), "may not be set for ExternalName services"))
		}
		if spec.ExternalName == "" {
			errs = append(errs, field.Required(path.Child("externalName"), ""))
			break
		}
		for _, msg := range validation.IsDNS1123Subdomain(spec.ExternalName) {
			errs = append(errs, field.Invalid(path.Child("externalName"), spec.ExternalName, msg))
		}
	default:
		errs = append(errs, field.NotSupported(path.Child("type"), spec.Type, []corev1.ServiceType{
			corev1.ServiceTypeClusterIP, corev1.ServiceTypeExternalName, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort}))
	}
	return errs
}

func validateServicePorts(spec *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	type identity struct {
		protocol corev1.Protocol
		port     int32
	}
	var errs field.ErrorList
	names, seen, nodePorts := map[string]bool{}, map[identity]bool{}, map[identity]bool{}
	for i := range spec.Ports {
		p, at := &spec.Ports[i], path.Index(i)
		errs = append(errs, validateServicePort(p, len(spec.Ports) > 1, names, at)...)
		if id := (identity{p.Protocol, p.Port}); seen[id] {
			errs = append(errs, field.Duplicate(at, *p))
		} else {
			seen[id] = true
		}
		if p.NodePort == 0 {
			continue
		}
		if spec.Type != corev1.ServiceTypeNodePort && spec.Type != corev1.ServiceTypeLoadBalancer {
			errs = append(errs, field.Forbidden(at.Child("nodePort"), "may not be used when `type` is '"+string(spec.Type)+"'"))
		}
		if id := (identity{p.Protocol, p.NodePort}); nodePorts[id] {
			errs = append(errs, field.Duplicate(at.Child("nodePort"), p.NodePort))
		} else {
			nodePorts[id] = true
		}
	}
	return errs
}

func validateServicePort(p *corev1.ServicePort, named bool, names map[string]bool, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch {
	case p.Name != "":
		for _, msg := range validation.IsDNS1123Label(p.Name) {
			errs = append(errs, field.Invalid(path.Child("name"), p.Name, msg))
		}
		if names[p.Name] {
			errs = append(errs, field.Duplicate(path.Child("name"), p.Name))
		}
		names[p.Name] = true
	case named:
		errs = append(errs, field.Required(path.Child("name"), ""))
	}
	for _, msg := range validation.IsValidPortNum(int(p.Port)) {
		errs = append(errs, field.Invalid(path.Child("port"), p.Port, msg))
	}
	switch p.Protocol {
	case corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP:
	default:
		errs = append(errs, field.NotSupported(path.Child("protocol"), p.Protocol,
			[]corev1.Protocol{corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP}))
	}
	if p.TargetPort.Type == intstr.Int {
		for _, msg := range validation.IsValidPortNum(p.TargetPort.IntValue()) {
			errs = append(errs, field.Invalid(path.Child("targetPort"), p.TargetPort.IntValue(), msg))
		}
	} else {
		for _, msg := range validation.IsValidPortName(p.TargetPort.StrVal) {
			errs = append(errs, field.Invalid(path.Child("targetPort"), p.TargetPort.StrVal, msg))
		}
	}
	return errs
}

func validateAffinity(spec *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	switch spec.SessionAffinity {
	case corev1.ServiceAffinityNone:
		return nil
	case corev1.ServiceAffinityClientIP:
		at := path.Child("sessionAffinityConfig", "clientIP", "timeoutSeconds")
		c := spec.SessionAffinityConfig
		if c == nil || c.ClientIP == nil || c.ClientIP.TimeoutSeconds == nil {
			return field.ErrorList{field.Required(at, "")}
		}
		const day = 86400
		if t := *c.ClientIP.TimeoutSeconds; t <= 0 || t > day {
			return field.ErrorList{field.Invalid(at, t, "must be greater than 0 and less than 86400")}
		}
		return nil
	}
	return field.ErrorList{field.NotSupported(path.Child("sessionAffinity"), spec.SessionAffinity,
		[]corev1.ServiceAffinity{corev1.ServiceAffinityClientIP, corev1.ServiceAffinityNone})}
}

func validateServiceIPs(spec *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if spec.Type != corev1.ServiceTypeExternalName {
		for i, ip := range spec.ClusterIPs {
			if i == 0 && ip == corev1.ClusterIPNone {
				continue
			}
			errs = append(errs, validation.IsValidIP(path.Child("clusterIPs").Index(i), ip)...)
		}
	}
	for i, ip := range spec.ExternalIPs {
		at := path.Child("externalIPs").Index(i)
		if faults := validation.IsValidIP(at, ip); len(faults) > 0 {
			errs = append(errs, faults...)
			continue
		}
		errs = append(errs, validateOutside(ip, at)...)
	}
	return errs
}

// validateOutside: an external address must not be one that only this machine knows.
func validateOutside(ip string, path *field.Path) field.ErrorList {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return nil
	}
	refuse := func(why string) field.ErrorList { return field.ErrorList{field.Invalid(path, ip, why)} }
	switch {
	case address.IsUnspecified():
		return refuse("may not be unspecified (" + ip + ")")
	case address.IsLoopback():
		return refuse("may not be in the loopback range (127.0.0.0/8, ::1/128)")
	case address.IsLinkLocalUnicast():
		return refuse("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
	case address.IsLinkLocalMulticast():
		return refuse("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
	}
	return nil
}

// validateTraffic covers the policies and what only load balancers have.
func validateTraffic(s *corev1.Service, path *field.Path) field.ErrorList {
	spec := &s.Spec
	var errs field.ErrorList
	balanced := spec.Type == corev1.ServiceTypeLoadBalancer
	if len(spec.LoadBalancerSourceRanges) > 0 {
		at := path.Child("LoadBalancerSourceRanges")
		if !balanced {
			errs = append(errs, field.Forbidden(at, "may only be used when `type` is 'LoadBalancer'"))
		}
		for i, cidr := range spec.LoadBalancerSourceRanges {
			errs = append(errs, validation.IsValidCIDR(at.Index(i), cidr)...)
		}
	}
	if spec.LoadBalancerClass != nil && !balanced {
		errs = append(errs, field.Forbidden(path.Child("loadBalancerClass"), "may only be used when `type` is 'LoadBalancer'"))
	}
	if spec.AllocateLoadBalancerNodePorts != nil && !balanced {
		errs = append(errs, field.Forbidden(path.Child("allocateLoadBalancerNodePorts"), "may only be used when `type` is 'LoadBalancer'"))
	}
	at := path.Child("externalTrafficPolicy")
	switch p := spec.ExternalTrafficPolicy; {
	case p == "" && external(spec):
		errs = append(errs, field.Required(at, ""))
	case p == "":
	case !external(spec):
		errs = append(errs, field.Invalid(at, p, "may only be set for externally-accessible services"))
	case p != corev1.ServiceExternalTrafficPolicyCluster && p != corev1.ServiceExternalTrafficPolicyLocal:
		errs = append(errs, field.NotSupported(at, p, []corev1.ServiceExternalTrafficPolicy{
			corev1.ServiceExternalTrafficPolicyCluster, corev1.ServiceExternalTrafficPolicyLocal}))
	}
	if spec.HealthCheckNodePort != 0 && !needsHealthCheckPort(s) {
		errs = append(errs, field.Invalid(path.Child("healthCheckNodePort"), spec.HealthCheckNodePort,
			"may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
	}
	if p := spec.InternalTrafficPolicy; p != nil && *p != corev1.ServiceInternalTrafficPolicyCluster && *p != corev1.ServiceInternalTrafficPolicyLocal {
		errs = append(errs, field.NotSupported(path.Child("internalTrafficPolicy"), *p, []corev1.ServiceInternalTrafficPolicy{
			corev1.ServiceInternalTrafficPolicyCluster, corev1.ServiceInternalTrafficPolicyLocal}))
	}
	if d := spec.TrafficDistribution; d != nil {
		known := []string{corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameZone, corev1.ServiceTrafficDistributionPreferSameNode}
		if *d != known[0] && *d != known[1] && *d != known[2] {
			errs = append(errs, field.NotSupported(path.Child("trafficDistribution"), *d, known))
		}
	}
	return errs
}

// validateServiceUpdate: a cluster IP stays as long as the service has one.
func validateServiceUpdate(ctx context.Context, s, old *corev1.Service) field.ErrorList {
	var errs field.ErrorList
	had, has := old.Spec.ClusterIPs, s.Spec.ClusterIPs
	if old.Spec.Type != corev1.ServiceTypeExternalName && s.Spec.Type != corev1.ServiceTypeExternalName && len(had) > 0 {
		at := field.NewPath("spec", "clusterIPs").Index(0)
		if len(has) == 0 {
			errs = append(errs, field.Invalid(at, "", "primary clusterIP can not be unset"))
		} else if has[0] != had[0] {
			errs = append(errs, field.Invalid(at, has, "may not change once set"))
		}
	}
	return append(errs, validateService(ctx, s)...)
}
