package networking

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// IngressClass is the catalogue entry of ingressclasses.
func IngressClass() kind.Kind {
	return kind.Kind{
		Names:    kind.Names{Group: networkingv1.GroupName, Kind: "IngressClass", Resource: "ingressclasses", Singular: "ingressclass"},
		Versions: []kind.Version{kind.Served("v1", &networkingv1.IngressClass{}, &networkingv1.IngressClassList{})},
		Storage:  kind.Stored("ingressclasses", networkingv1.SchemeGroupVersion, &networkingv1.IngressClass{}),
		Columns: kind.Table("Name;Controller;Parameters;Age", map[string]string{
			"Controller": networkingv1.IngressClassSpec{}.SwaggerDoc()["controller"],
			"Parameters": networkingv1.IngressClassSpec{}.SwaggerDoc()["parameters"]}),
		Cells: kind.Cells(func(c *networkingv1.IngressClass, now time.Time) []any {
			parameters := "<none>"
			if p := c.Spec.Parameters; p != nil {
				parameters = p.Kind
				if p.APIGroup != nil {
					parameters += "." + *p.APIGroup
				}
				parameters += "/" + p.Name
			}
			return []any{c.Name, c.Spec.Controller, parameters, kind.Age(c, now)}
		}),
		Rules: kind.Typed[*networkingv1.IngressClass]{
			Default: func(c *networkingv1.IngressClass) {
				if p := c.Spec.Parameters; p != nil && p.Scope == nil {
					scope := networkingv1.IngressClassParametersReferenceScopeCluster
					p.Scope = &scope
				}
			},
			ValidateCreate:      validateIngressClass,
			ValidateUpdate:      validateIngressClassUpdate,
			Generation:          func(c, old *networkingv1.IngressClass) bool { return !equality.Semantic.DeepEqual(c.Spec, old.Spec) },
			UnconditionalUpdate: true,
		}.Rules(),
	}
}

// Ingress is the catalogue entry of ingresses.
func Ingress() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: networkingv1.GroupName, Kind: "Ingress", Resource: "ingresses", Singular: "ingress",
			ShortNames: []string{"ing"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &networkingv1.Ingress{}, &networkingv1.IngressList{})},
		Storage:    kind.Stored("ingress", networkingv1.SchemeGroupVersion, &networkingv1.Ingress{}),
		Columns: kind.Table("Name;Class;Hosts;Address;Ports;Age", map[string]string{
			"Class":   networkingv1.IngressSpec{}.SwaggerDoc()["ingressClassName"],
			"Hosts":   "Hosts that incoming requests are matched against before the ingress rule",
			"Address": networkingv1.IngressStatus{}.SwaggerDoc()["loadBalancer"],
			"Ports":   "Ports of TLS configurations that open"}),
		Cells: kind.Cells(ingressCells),
		Rules: kind.Typed[*networkingv1.Ingress]{
			PrepareCreate:       func(_ context.Context, i *networkingv1.Ingress) { i.Status = networkingv1.IngressStatus{} },
			PrepareUpdate:       func(_ context.Context, i, old *networkingv1.Ingress) { i.Status = old.Status },
			ValidateCreate:      validateIngress,
			ValidateUpdate:      validateIngressUpdate,
			Warnings:            ingressWarnings,
			Generation:          func(i, old *networkingv1.Ingress) bool { return !equality.Semantic.DeepEqual(i.Spec, old.Spec) },
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.StatusKept(func(i, old *networkingv1.Ingress) { i.Spec = old.Spec }),
		},
	}
}

func ingressCells(i *networkingv1.Ingress, now time.Time) []any {
	class := "<none>"
	if i.Spec.IngressClassName != nil {
		class = *i.Spec.IngressClassName
	}
	var hosts, addresses []string
	for _, r := range i.Spec.Rules {
		if r.Host != "" {
			hosts = append(hosts, r.Host)
		}
	}
	host := "*"
	switch {
	case len(hosts) > 3:
		host = strings.Join(hosts[:3], ",") + fmt.Sprintf(" + %d more...", len(hosts)-3)
	case len(hosts) > 0:
		host = strings.Join(hosts, ",")
	}
	for _, a := range i.Status.LoadBalancer.Ingress {
		if a.IP != "" {
			addresses = append(addresses, a.IP)
		} else if a.Hostname != "" {
			addresses = append(addresses, a.Hostname)
		}
	}
	ports := "80"
	if len(i.Spec.TLS) > 0 {
		ports = "80, 443"
	}
	return []any{i.Name, class, host, strings.Join(addresses, ","), ports, kind.Age(i, now)}
}

// NetworkPolicy is the catalogue entry of networkpolicies.
func NetworkPolicy() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: networkingv1.GroupName, Kind: "NetworkPolicy", Resource: "networkpolicies", Singular: "networkpolicy",
			ShortNames: []string{"netpol"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &networkingv1.NetworkPolicy{}, &networkingv1.NetworkPolicyList{})},
		Storage:    kind.Stored("networkpolicies", networkingv1.SchemeGroupVersion, &networkingv1.NetworkPolicy{}),
		Columns:    kind.Table("Name;Pod-Selector;Age", map[string]string{"Pod-Selector": networkingv1.NetworkPolicySpec{}.SwaggerDoc()["podSelector"]}),
		Cells: kind.Cells(func(p *networkingv1.NetworkPolicy, now time.Time) []any {
			return []any{p.Name, metav1.FormatLabelSelector(&p.Spec.PodSelector), kind.Age(p, now)}
		}),
		Rules: kind.Typed[*networkingv1.NetworkPolicy]{
			Default:             defaultPolicy,
			ValidateCreate:      validatePolicy,
			ValidateUpdate:      validatePolicyUpdate,
			Generation:          func(p, old *networkingv1.NetworkPolicy) bool { return !equality.Semantic.DeepEqual(p.Spec, old.Spec) },
			UnconditionalUpdate: true,
		}.Rules(),
	}
}

func defaultPolicy(p *networkingv1.NetworkPolicy) {
	for i := range p.Spec.Ingress {
		defaultPorts(p.Spec.Ingress[i].Ports)
	}
	for i := range p.Spec.Egress {
		defaultPorts(p.Spec.Egress[i].Ports)
	}
	if len(p.Spec.PolicyTypes) == 0 {
		p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		if len(p.Spec.Egress) > 0 {
			p.Spec.PolicyTypes = append(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress)
		}
	}
}

func defaultPorts(ports []networkingv1.NetworkPolicyPort) {
	for i := range ports {
		if ports[i].Protocol == nil {
			tcp := corev1.ProtocolTCP
			ports[i].Protocol = &tcp
		}
	}
}
