package ruleset

import (
	"maps"
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var thisNode = Node{Name: "here", Zone: "a", Addresses: []netip.Addr{netip.MustParseAddr("172.30.0.2"), netip.MustParseAddr("fd00::2")}}

// service is a ClusterIP Service on port 80, changed by with.
func service(with ...func(*corev1.Service)) *corev1.Service {
	svc := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "s"},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, ClusterIP: "10.96.0.5", ClusterIPs: []string{"10.96.0.5"},
			Ports: []corev1.ServicePort{{Name: "http", Protocol: corev1.ProtocolTCP, Port: 80}},
		},
	}
	for _, w := range with {
		w(svc)
	}
	return svc
}

func nodePort(s *corev1.Service) {
	s.Spec.Type = corev1.ServiceTypeNodePort
	s.Spec.Ports[0].NodePort = 30080
}

func loadBalancer(s *corev1.Service) {
	s.Spec.Type = corev1.ServiceTypeLoadBalancer
	s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}
}

func externalLocal(s *corev1.Service) {
	s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
}

func internalLocal(s *corev1.Service) {
	s.Spec.InternalTrafficPolicy = new(corev1.ServiceInternalTrafficPolicyLocal)
}

func sticky(s *corev1.Service) { s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP }

// pod is one endpoint, changed by with.
func pod(address, node string, with ...func(*discoveryv1.Endpoint)) discoveryv1.Endpoint {
	e := discoveryv1.Endpoint{Addresses: []string{address}, NodeName: &node}
	for _, w := range with {
		w(&e)
	}
	return e
}

func unready(e *discoveryv1.Endpoint) { e.Conditions.Ready = new(false) }

func terminating(e *discoveryv1.Endpoint) {
	e.Conditions = discoveryv1.EndpointConditions{Ready: new(false), Serving: new(true), Terminating: new(true)}
}

func forZone(zone string) func(*discoveryv1.Endpoint) {
	return func(e *discoveryv1.Endpoint) {
		e.Hints = &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: zone}}}
	}
}

func forNode(node string) func(*discoveryv1.Endpoint) {
	return func(e *discoveryv1.Endpoint) {
		e.Hints = &discoveryv1.EndpointHints{ForNodes: []discoveryv1.ForNode{{Name: node}}}
	}
}

func slice(pods ...discoveryv1.Endpoint) []*discoveryv1.EndpointSlice {
	return []*discoveryv1.EndpointSlice{{
		AddressType: discoveryv1.AddressTypeIPv4, Endpoints: pods,
		Ports: []discoveryv1.EndpointPort{{Name: new("http"), Protocol: new(corev1.ProtocolTCP), Port: new(int32(8080))}},
	}}
}

func at(address string, port uint16) Frontend {
	return Frontend{netip.MustParseAddr(address), TCP, port}
}

// to is what routes a frontend to endpoints by set and its neighbours.
func to(front Frontend, local bool, endpoints ...string) Fragment {
	out := Fragment{}
	var list []netip.AddrPort
	for _, e := range endpoints {
		list = append(list, netip.MustParseAddrPort(e))
	}
	out.route(front, list, true, Pick{Local: local})
	return out
}

func refused(front Frontend, how Refusal) Fragment {
	return Fragment{{Set: NoEndpoints, Frontend: front}: {Refusal: how}}
}

func set(s Set, fronts ...Frontend) Fragment {
	out := Fragment{}
	for _, f := range fronts {
		out.add(s, f)
	}
	return out
}

func allowed(front Frontend, sources ...string) Fragment {
	out := Fragment{}
	for _, s := range sources {
		out[Key{Set: Allowed, Frontend: front, Range: netip.MustParsePrefix(s)}] = Value{}
	}
	return out
}

func join(parts ...Fragment) Fragment {
	out := Fragment{}
	for _, p := range parts {
		maps.Copy(out, p)
	}
	return out
}

func TestCompile(t *testing.T) {
	cluster, node, external := at("10.96.0.5", 80), at("172.30.0.2", 30080), at("192.0.2.1", 80)
	address := set(ClusterIPs, Frontend{Address: cluster.Address})
	hairpin := func(pod string) Fragment { return set(Hairpin, Frontend{Address: netip.MustParseAddr(pod)}) }
	tests := []struct {
		name   string
		svc    *corev1.Service
		slices []*discoveryv1.EndpointSlice
		want   Fragment
	}{
		{"headless", service(func(s *corev1.Service) { s.Spec.ClusterIP = "None" }), slice(pod("10.1.0.1", "x")), Fragment{}},
		{"another proxy's", service(func(s *corev1.Service) {
			s.Labels = map[string]string{"service.kubernetes.io/service-proxy-name": "x"}
		}), slice(pod("10.1.0.1", "x")), Fragment{}},
		{"an ExternalName", service(func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }), nil, Fragment{}},
		{"no endpoints are rejected", service(), nil, join(address, refused(cluster, Reject))},
		{"two pods, one of them here", service(), slice(pod("10.1.0.2", "here"), pod("10.1.0.1", "x")),
			join(address, to(cluster, false, "10.1.0.1:8080", "10.1.0.2:8080"), hairpin("10.1.0.2"))},
		{"a pod in two slices counts once", service(), append(slice(pod("10.1.0.1", "x")), slice(pod("10.1.0.1", "x", unready))...),
			join(address, to(cluster, false, "10.1.0.1:8080"))},
		{"unready pods get nothing", service(), slice(pod("10.1.0.1", "x", unready), pod("10.1.0.2", "x")), join(address, to(cluster, false, "10.1.0.2:8080"))},
		{"terminating pods get nothing while others are ready", service(), slice(pod("10.1.0.1", "x", terminating), pod("10.1.0.2", "x")),
			join(address, to(cluster, false, "10.1.0.2:8080"))},
		{"terminating pods serve when no others do", service(), slice(pod("10.1.0.1", "x", terminating), pod("10.1.0.2", "x", unready)),
			join(address, to(cluster, false, "10.1.0.1:8080"))},
		{"a node port masquerades", service(nodePort), slice(pod("10.1.0.1", "x")),
			join(address, to(cluster, false, "10.1.0.1:8080"), to(node, false, "10.1.0.1:8080"), set(External, node))},
		{"an external IP of the other family is ignored", service(func(s *corev1.Service) { s.Spec.ExternalIPs = []string{"fd00::9", "192.0.2.1"} }), slice(pod("10.1.0.1", "x")),
			join(address, to(cluster, false, "10.1.0.1:8080"), to(external, false, "10.1.0.1:8080"), set(External, external))},
		{"externalTrafficPolicy Local", service(nodePort, externalLocal), slice(pod("10.1.0.1", "x"), pod("10.1.0.2", "here")),
			join(address, to(cluster, false, "10.1.0.1:8080", "10.1.0.2:8080"), to(node, false, "10.1.0.1:8080", "10.1.0.2:8080"),
				to(node, true, "10.1.0.2:8080"), set(ExternalLocal, node), hairpin("10.1.0.2"))},
		{"externalTrafficPolicy Local without a local pod drops", service(nodePort, externalLocal), slice(pod("10.1.0.1", "x")),
			join(address, to(cluster, false, "10.1.0.1:8080"), to(node, false, "10.1.0.1:8080"), set(ExternalLocal, node), refused(node, Drop))},
		{"externalTrafficPolicy Local without any pod rejects", service(nodePort, externalLocal), nil,
			join(address, refused(cluster, Reject), refused(node, Reject))},
		{"externalTrafficPolicy Local with a terminating local pod", service(nodePort, externalLocal), slice(pod("10.1.0.1", "x"), pod("10.1.0.2", "here", terminating)),
			join(address, to(cluster, false, "10.1.0.1:8080"), to(node, false, "10.1.0.1:8080"), to(node, true, "10.1.0.2:8080"), set(ExternalLocal, node), hairpin("10.1.0.2"))},
		{"internalTrafficPolicy Local", service(internalLocal), slice(pod("10.1.0.1", "x"), pod("10.1.0.2", "here")),
			join(address, to(cluster, false, "10.1.0.2:8080"), hairpin("10.1.0.2"))},
		{"internalTrafficPolicy Local without a local pod drops", service(internalLocal), slice(pod("10.1.0.1", "x")), join(address, refused(cluster, Drop))},
		{"hints for this zone", service(), slice(pod("10.1.0.1", "x", forZone("a")), pod("10.1.0.2", "x", forZone("b"))), join(address, to(cluster, false, "10.1.0.1:8080"))},
		{"hints that one pod lacks", service(), slice(pod("10.1.0.1", "x", forZone("a")), pod("10.1.0.2", "x")),
			join(address, to(cluster, false, "10.1.0.1:8080", "10.1.0.2:8080"))},
		{"hints for no pod of this zone", service(), slice(pod("10.1.0.1", "x", forZone("c"))), join(address, to(cluster, false, "10.1.0.1:8080"))},
		{"hints for this node", service(), slice(pod("10.1.0.1", "x", forNode("x")), pod("10.1.0.2", "y", forNode("here"))), join(address, to(cluster, false, "10.1.0.2:8080"))},
		{"a load balancer", service(loadBalancer), slice(pod("10.1.0.1", "x")),
			join(address, to(cluster, false, "10.1.0.1:8080"), to(external, false, "10.1.0.1:8080"), set(External, external))},
		{"a load balancer in proxy mode is not short-cut", service(loadBalancer, func(s *corev1.Service) {
			s.Status.LoadBalancer.Ingress[0].IPMode = new(corev1.LoadBalancerIPModeProxy)
		}), slice(pod("10.1.0.1", "x")), join(address, to(cluster, false, "10.1.0.1:8080"))},
		{"loadBalancerSourceRanges", service(loadBalancer, func(s *corev1.Service) {
			s.Spec.LoadBalancerSourceRanges = []string{"198.51.100.7/24", "fd00::/8", "nonsense"}
		}),
			slice(pod("10.1.0.1", "x")), join(address, to(cluster, false, "10.1.0.1:8080"), to(external, false, "10.1.0.1:8080"), set(External, external),
				set(Firewalled, external), allowed(external, "198.51.100.0/24"))},
		{"loadBalancerSourceRanges with this node", service(loadBalancer, func(s *corev1.Service) { s.Spec.LoadBalancerSourceRanges = []string{"172.30.0.0/16"} }),
			slice(pod("10.1.0.1", "x")), join(address, to(cluster, false, "10.1.0.1:8080"), to(external, false, "10.1.0.1:8080"), set(External, external),
				set(Firewalled, external), allowed(external, "172.30.0.0/16", "192.0.2.1/32"))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Compile(thisNode, test.svc, test.slices)
			for k, v := range test.want {
				if have, ok := got[k]; !ok || have != v {
					t.Errorf("lacks %+v: %+v", k, v)
				}
			}
			for k, v := range got {
				if _, ok := test.want[k]; !ok {
					t.Errorf("has %+v: %+v", k, v)
				}
			}
		})
	}
}

func TestAffinityKeepsMembersNumbersWhileOthersComeAndGo(t *testing.T) {
	front := at("10.96.0.5", 80)
	members := func(f Fragment) map[netip.AddrPort]uint32 {
		out := map[netip.AddrPort]uint32{}
		for k, v := range f {
			if k.Set == Members && k.Frontend == front {
				out[v.Endpoint] = k.Index
			}
		}
		return out
	}
	two := members(Compile(thisNode, service(sticky), slice(pod("10.1.0.1", "x"), pod("10.1.0.2", "x"))))
	three := members(Compile(thisNode, service(sticky), slice(pod("10.1.0.0", "x"), pod("10.1.0.1", "x"), pod("10.1.0.2", "x"))))
	if len(two) != 2 || len(three) != 3 {
		t.Fatalf("%d and %d members", len(two), len(three))
	}
	for endpoint, number := range two {
		if number == 0 || three[endpoint] != number {
			t.Errorf("%s was %d and became %d", endpoint, number, three[endpoint])
		}
	}
}

func TestHealthCheck(t *testing.T) {
	asked := service(loadBalancer, externalLocal, func(s *corev1.Service) { s.Spec.HealthCheckNodePort = 31000 })
	tests := []struct {
		name  string
		svc   *corev1.Service
		pods  []discoveryv1.Endpoint
		port  uint16
		local int
	}{
		{"no load balancer", service(nodePort, externalLocal), nil, 0, 0},
		{"policy Cluster", service(loadBalancer), nil, 0, 0},
		{"no pod here", asked, []discoveryv1.Endpoint{pod("10.1.0.1", "x")}, 31000, 0},
		{"two here, one unready and one terminating", asked,
			[]discoveryv1.Endpoint{pod("10.1.0.1", "here"), pod("10.1.0.2", "here"), pod("10.1.0.3", "here", unready), pod("10.1.0.4", "here", terminating)}, 31000, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			port, local := HealthCheck(thisNode, test.svc, slice(test.pods...))
			if port != test.port || local != test.local {
				t.Errorf("port %d with %d, not %d with %d", port, local, test.port, test.local)
			}
		})
	}
}
