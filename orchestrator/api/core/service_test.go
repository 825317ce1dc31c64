package core

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

func service(change func(*corev1.Service)) *corev1.Service {
	s := &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
	change(s)
	defaultService(s)
	return s
}

func balanced(change func(*corev1.Service)) *corev1.Service {
	return service(func(s *corev1.Service) {
		s.Spec.Type, s.Spec.ExternalTrafficPolicy = corev1.ServiceTypeLoadBalancer, corev1.ServiceExternalTrafficPolicyLocal
		s.Spec.ClusterIP, s.Spec.ClusterIPs, s.Spec.HealthCheckNodePort, s.Spec.LoadBalancerClass = "10.96.0.5", []string{"10.96.0.5"}, 31344, ptr("a.b/c")
		s.Spec.IPFamilyPolicy, s.Spec.IPFamilies = ptr(corev1.IPFamilyPolicySingleStack), []corev1.IPFamily{corev1.IPv4Protocol}
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}
		change(s)
	})
}

func nothing(*corev1.Service) {}

// The rows are what stock answers.
func TestUpdatesOfServices(t *testing.T) {
	rules := Service().Rules
	bare := func(s *corev1.Service) {
		s.Spec.ClusterIP, s.Spec.ClusterIPs, s.Spec.HealthCheckNodePort, s.Spec.IPFamilies, s.Spec.IPFamilyPolicy = "", nil, 0, nil, nil
	}
	for _, row := range []struct {
		name string
		new  *corev1.Service
		want string
	}{
		{"what was given out may be left out", balanced(bare), ""},
		{"the health check's port", balanced(func(s *corev1.Service) { s.Spec.HealthCheckNodePort = 32001 }), "spec.healthCheckNodePort: Forbidden: field is immutable"},
		{"the class", balanced(func(s *corev1.Service) { s.Spec.LoadBalancerClass = ptr("a.b/d") }), `spec.loadBalancerClass: Invalid value: "a.b/d": may not change once set`},
		{"no class", balanced(func(s *corev1.Service) { s.Spec.LoadBalancerClass = nil }), "spec.loadBalancerClass: Invalid value: null: may not change once set"},
		{"another address", balanced(func(s *corev1.Service) { s.Spec.ClusterIP = "10.96.8.8" }), `spec.clusterIPs[0]: Invalid value: ["10.96.8.8"]: may not change once set`},
		{"another address alone", balanced(func(s *corev1.Service) { s.Spec.ClusterIP, s.Spec.ClusterIPs = "10.96.8.8", nil }), `spec.clusterIPs[0]: Invalid value: ["10.96.8.8"]: may not change once set`},
		{"another first address", balanced(func(s *corev1.Service) { s.Spec.ClusterIPs = []string{"10.96.8.8"} }), "spec.clusterIPs: Invalid value: [\"10.96.8.8\"]: first value must match `clusterIP`"},
		{"another family", balanced(func(s *corev1.Service) { s.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv6Protocol} }),
			"spec.clusterIPs[0]: Invalid value: \"10.96.0.5\": expected an IPv6 value as indicated by `ipFamilies[0]`"},
		{"another type with another policy", balanced(func(s *corev1.Service) {
			s.Spec.Type, s.Spec.ExternalName, s.Spec.IPFamilyPolicy = corev1.ServiceTypeExternalName, "x", ptr(corev1.IPFamilyPolicyPreferDualStack)
		}), "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services"},
		{"another type", balanced(func(s *corev1.Service) { s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "x." }), ""},
	} {
		old := balanced(nothing)
		rules.PrepareUpdate(t.Context(), row.new, old)
		if got := text(rules.ValidateUpdate(t.Context(), row.new, old).ToAggregate()); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}

func TestWhatAnUpdateKeepsAndDrops(t *testing.T) {
	rules := Service().Rules
	update := func(old, s *corev1.Service) *corev1.Service {
		rules.PrepareUpdate(t.Context(), s, old)
		return s
	}
	kept := update(balanced(nothing), service(func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeLoadBalancer })).Spec
	if kept.IPFamilyPolicy == nil || len(kept.IPFamilies) != 1 || kept.ClusterIP == "" || len(kept.ClusterIPs) != 1 {
		t.Errorf("a PUT without addresses and families has %+v", kept)
	}
	left := update(balanced(nothing), balanced(func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeClusterIP }))
	if len(left.Status.LoadBalancer.Ingress) > 0 || left.Spec.LoadBalancerClass != nil || left.Spec.HealthCheckNodePort != 0 {
		t.Errorf("no load balancer any more, but %+v", left)
	}
	named := balanced(func(s *corev1.Service) { s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "x" })
	if named = update(balanced(nothing), named); named.Spec.ClusterIP != "" || named.Spec.IPFamilies != nil || named.Spec.IPFamilyPolicy != nil {
		t.Errorf("an alias with addresses: %+v", named.Spec)
	}
	external := service(func(s *corev1.Service) { s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "x" })
	if back := update(external, service(func(s *corev1.Service) { s.Spec.ExternalName = "x" })); back.Spec.ExternalName != "x" {
		t.Error("externalName is dropped on a change of type: it is ignored, with a warning")
	}
	both := service(func(s *corev1.Service) {
		s.Spec.ClusterIP, s.Spec.ClusterIPs, s.Spec.IPFamilies = "None", []string{"None"}, []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
		s.Spec.IPFamilyPolicy = ptr(corev1.IPFamilyPolicyRequireDualStack)
	})
	single := both.DeepCopy()
	single.Spec.IPFamilyPolicy = ptr(corev1.IPFamilyPolicySingleStack)
	if single = update(both, single); len(single.Spec.IPFamilies) != 1 {
		t.Errorf("SingleStack keeps %v", single.Spec.IPFamilies)
	}
}

func TestNewServices(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*corev1.Service)
		want   string
	}{
		{"blanks around a range", func(s *corev1.Service) {
			s.Spec.Type, s.Spec.LoadBalancerSourceRanges = corev1.ServiceTypeLoadBalancer, []string{" 1.2.3.4/32 "}
		}, ""},
		{"ranges by annotation", func(s *corev1.Service) {
			s.Spec.Type, s.Annotations = corev1.ServiceTypeLoadBalancer, map[string]string{corev1.AnnotationLoadBalancerSourceRangesKey: "bad, 1.2.3.4/32"}
		}, `metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Invalid value: "bad": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`},
		{"clusterIPs alone", func(s *corev1.Service) { s.Spec.ClusterIPs = []string{"10.96.5.5"} }, "spec.clusterIPs: Invalid value: [\"10.96.5.5\"]: must be empty when `clusterIP` is not specified"},
		{"clusterIPs of one family", func(s *corev1.Service) {
			s.Spec.ClusterIP, s.Spec.ClusterIPs = "10.96.5.5", []string{"10.96.5.5", "10.96.5.6"}
		}, `spec.clusterIPs: Invalid value: ["10.96.5.5","10.96.5.6"]: may specify no more than one IP for each IP family`},
		{"families without a policy", func(s *corev1.Service) {
			s.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
		},
			`spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified`},
		{"one port twice", func(s *corev1.Service) {
			s.Spec.Ports = []corev1.ServicePort{{Name: "a", Port: 80}, {Name: "b", Port: 80}}
		},
			`spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}`},
	} {
		if got := text(validateService(t.Context(), service(row.change)).ToAggregate()); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}

func TestIngressOfServices(t *testing.T) {
	rules := Service().Subresources["status"].Update
	status := func(s *corev1.Service, i ...corev1.LoadBalancerIngress) *corev1.Service {
		s.Status.LoadBalancer.Ingress = i
		defaultService(s)
		return s
	}
	for _, row := range []struct {
		name string
		new  *corev1.Service
		want string
	}{
		{"as it should be", status(balanced(nothing), corev1.LoadBalancerIngress{IP: "203.0.113.9"}, corev1.LoadBalancerIngress{Hostname: "lb.example"}), ""},
		{"of a ClusterIP", status(service(nothing), corev1.LoadBalancerIngress{IP: "bad"}), "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"},
		{"neither address nor name", status(balanced(nothing), corev1.LoadBalancerIngress{IP: "nope", Hostname: "1.2.3.4"}),
			`[status.loadBalancer.ingress[0].ip: Invalid value: "nope": ` + "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)" +
				`, status.loadBalancer.ingress[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address]`},
		{"a mode without an address", status(balanced(nothing), corev1.LoadBalancerIngress{Hostname: "a.b", IPMode: ptr(corev1.LoadBalancerIPModeVIP)}),
			"status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not set"},
	} {
		var obj, old kind.Object = row.new, row.new.DeepCopy()
		old.(*corev1.Service).Status = corev1.ServiceStatus{}
		if got := text(rules.ValidateUpdate(t.Context(), obj, old).ToAggregate()); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}
