package ruleset

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// HealthCheck returns the port on which a load balancer asks whether this node has endpoints of svc, and how many it has; port 0: nobody asks.
func HealthCheck(node Node, svc *corev1.Service, slicesOf []*discoveryv1.EndpointSlice) (port uint16, local int) {
	asked := svc.Spec.Type == corev1.ServiceTypeLoadBalancer && svc.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
	if Ignored(svc) || !asked || svc.Spec.HealthCheckNodePort < 1 || svc.Spec.HealthCheckNodePort > 65535 {
		return 0, 0
	}
	addresses := map[string]bool{}
	for _, cluster := range clusterIPs(svc) {
		for _, p := range svc.Spec.Ports {
			for _, e := range endpointsOf(node, p, slicesOf, familyOf(cluster)) {
				// A terminating endpoint still serves, but no load balancer should send it new clients.
				if e.local && e.ready {
					addresses[e.Addr().String()] = true
				}
			}
		}
	}
	return uint16(svc.Spec.HealthCheckNodePort), len(addresses)
}
