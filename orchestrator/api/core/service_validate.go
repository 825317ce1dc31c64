package core

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

func validateService(_ context.Context, s *corev1.Service) field.ErrorList {
	spec, path := &s.Spec, field.NewPath("spec")
	errs := validateClusterIPs(spec, path)
	if len(errs) > 0 {
		return errs // nothing else can be said of a service whose addresses contradict each other
	}
	headless := len(spec.ClusterIPs) > 0 && spec.ClusterIPs[0] == corev1.ClusterIPNone
	if len(spec.Ports) == 0 && !headless && spec.Type != corev1.ServiceTypeExternalName {
		errs = append(errs, field.Required(path.Child("ports"), ""))
	}
	errs = append(errs, validateServiceType(s, path)...)
	errs = append(errs, validateServicePorts(spec, path.Child("ports"))...)
	errs = append(errs, metavalidation.ValidateLabels(spec.Selector, path.Child("selector"))...)
	errs = append(errs, validateAffinity(spec, path)...)
	errs = append(errs, validateExternalIPs(spec.ExternalIPs, path.Child("externalIPs"))...)
	errs = append(errs, validateTraffic(s, path)...)
	hints, hinted := s.Annotations[corev1.DeprecatedAnnotationTopologyAwareHints]
	if mode, set := s.Annotations[corev1.AnnotationTopologyMode]; set && hinted && mode != hints {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "annotations").Key(corev1.AnnotationTopologyMode), mode,
			"must match annotations["+corev1.DeprecatedAnnotationTopologyAwareHints+"] when both are specified"))
	}
	return errs
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
		if spec.ExternalName == "" {
			errs = append(errs, field.Required(path.Child("externalName"), ""))
			break
		}
		for _, msg := range validation.IsDNS1123Subdomain(strings.TrimSuffix(spec.ExternalName, ".")) {
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
	names, seen := map[string]bool{}, map[identity]bool{}
	for i := range spec.Ports {
		p, at := &spec.Ports[i], path.Index(i)
		errs = append(errs, validateServicePort(p, len(spec.Ports) > 1, names, at)...)
		if id := (identity{p.Protocol, p.Port}); seen[id] {
			errs = append(errs, field.Duplicate(at, kind.Untagged(corev1.ServicePort{Protocol: p.Protocol, Port: p.Port})))
		} else {
			seen[id] = true
		}
		if p.NodePort == 0 {
			continue
		}
		if spec.Type != corev1.ServiceTypeNodePort && spec.Type != corev1.ServiceTypeLoadBalancer {
			errs = append(errs, field.Forbidden(at.Child("nodePort"), "may not be used when `type` is '"+string(spec.Type)+"'"))
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
	if p.AppProtocol != nil {
		for _, msg := range validation.IsQualifiedName(*p.AppProtocol) {
			errs = append(errs, field.Invalid(path.Child("appProtocol"), *p.AppProtocol, msg))
		}
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

// validateTraffic covers the policies and what only load balancers have.
func validateTraffic(s *corev1.Service, path *field.Path) field.ErrorList {
	spec := &s.Spec
	var errs field.ErrorList
	balanced := spec.Type == corev1.ServiceTypeLoadBalancer
	errs = append(errs, validateSourceRanges(s, path)...)
	if spec.LoadBalancerClass != nil {
		at := path.Child("loadBalancerClass")
		if !balanced {
			errs = append(errs, field.Forbidden(at, "may only be used when `type` is 'LoadBalancer'"))
		}
		for _, msg := range validation.IsQualifiedName(*spec.LoadBalancerClass) {
			errs = append(errs, field.Invalid(at, *spec.LoadBalancerClass, msg))
		}
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

// validateSourceRanges: of the field, or else of the annotation that there was before it. Blanks around a range are of no account in either.
func validateSourceRanges(s *corev1.Service, path *field.Path) field.ErrorList {
	at, element := path.Child("LoadBalancerSourceRanges"), path.Child("LoadBalancerSourceRanges").Index // so stock spells it
	ranges := s.Spec.LoadBalancerSourceRanges
	if len(ranges) == 0 {
		text, annotated := s.Annotations[corev1.AnnotationLoadBalancerSourceRangesKey]
		if !annotated {
			return nil
		}
		at = field.NewPath("metadata", "annotations").Key(corev1.AnnotationLoadBalancerSourceRangesKey)
		element = func(int) *field.Path { return at }
		if text = strings.TrimSpace(text); text != "" {
			ranges = strings.Split(text, ",")
		}
	}
	var errs field.ErrorList
	if s.Spec.Type != corev1.ServiceTypeLoadBalancer {
		errs = append(errs, field.Forbidden(at, "may only be used when `type` is 'LoadBalancer'"))
	}
	for i, cidr := range ranges {
		errs = append(errs, validation.IsValidCIDRForLegacyField(element(i), strings.TrimSpace(cidr), true, nil)...)
	}
	return errs
}

// validateServiceUpdate: what was given out stays as long as the service needs it, and so does who balances its load.
func validateServiceUpdate(ctx context.Context, s, old *corev1.Service) field.ErrorList {
	path := field.NewPath("spec")
	if errs := validateClusterIPs(&s.Spec, path); len(errs) > 0 {
		return errs
	}
	errs := validateAddressUpdate(&s.Spec, &old.Spec, path)
	if had, has := old.Spec.HealthCheckNodePort, s.Spec.HealthCheckNodePort; needsHealthCheckPort(old) && needsHealthCheckPort(s) && had != 0 && had != has {
		errs = append(errs, field.Forbidden(path.Child("healthCheckNodePort"), "field is immutable"))
	}
	if old.Spec.Type == corev1.ServiceTypeLoadBalancer && s.Spec.Type == corev1.ServiceTypeLoadBalancer &&
		!equality.Semantic.DeepEqual(s.Spec.LoadBalancerClass, old.Spec.LoadBalancerClass) {
		errs = append(errs, field.Invalid(path.Child("loadBalancerClass"), s.Spec.LoadBalancerClass, "may not change once set"))
	}
	errs = append(errs, validateService(ctx, s)...)
	return append(errs, validateNodePorts(s.Spec.Ports, path.Child("ports"))...)
}

// validateNodePorts: of an update, that none stands twice. Who makes a Service is told so by the allocator.
func validateNodePorts(ports []corev1.ServicePort, path *field.Path) field.ErrorList {
	type identity struct {
		protocol corev1.Protocol
		port     int32
	}
	var errs field.ErrorList
	seen := map[identity]bool{}
	for i, p := range ports {
		id := identity{p.Protocol, p.NodePort}
		if p.NodePort != 0 && seen[id] {
			errs = append(errs, field.Duplicate(path.Index(i).Child("nodePort"), p.NodePort))
		}
		seen[id] = true
	}
	return errs
}
