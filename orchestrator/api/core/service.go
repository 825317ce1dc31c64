package core

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

var serviceDocs = map[string]string{
	"Type":        corev1.ServiceSpec{}.SwaggerDoc()["type"],
	"Cluster-IP":  corev1.ServiceSpec{}.SwaggerDoc()["clusterIP"],
	"External-IP": corev1.ServiceSpec{}.SwaggerDoc()["externalIPs"],
	"Port(s)":     corev1.ServiceSpec{}.SwaggerDoc()["ports"],
	"Selector":    corev1.ServiceSpec{}.SwaggerDoc()["selector"],
}

// Service is the catalogue entry of services. Addresses and node ports are given out by the apiserver, not here.
func Service() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Kind: "Service", Resource: "services", Singular: "service", ShortNames: []string{"svc"},
			Categories: []string{"all"}},
		Namespaced: true,
		Returned:   true,
		Versions:   []kind.Version{kind.Served("v1", &corev1.Service{}, &corev1.ServiceList{})},
		Storage:    kind.Stored("services/specs", corev1.SchemeGroupVersion, &corev1.Service{}),
		Columns:    kind.Table("Name;Type;Cluster-IP;External-IP;Port(s);Age;Selector*", serviceDocs),
		Cells:      kind.Cells(serviceCells),
		Fields: kind.Fields(func(s *corev1.Service) fields.Set {
			return fields.Set{"spec.clusterIP": s.Spec.ClusterIP, "spec.type": string(s.Spec.Type)}
		}),
		Rules: kind.Typed[*corev1.Service]{
			Default: defaultService,
			PrepareCreate: func(_ context.Context, s *corev1.Service) {
				s.Status = corev1.ServiceStatus{}
				alignClusterIPs(s, nil)
				dropTypeDependent(s, nil)
			},
			PrepareUpdate: func(_ context.Context, s, old *corev1.Service) {
				s.Status = old.Status
				patchAllocated(s, old)
				alignClusterIPs(s, old)
				dropTypeDependent(s, old)
			},
			ValidateCreate:      validateService,
			ValidateUpdate:      validateServiceUpdate,
			Warnings:            serviceWarnings,
			ValidName:           validation.NameIsDNSLabel,
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.Status(kind.Typed[*corev1.Service]{
				PrepareUpdate:  func(_ context.Context, s, old *corev1.Service) { s.Spec = old.Spec },
				ValidateUpdate: validateServiceStatus,
				Warnings:       serviceStatusWarnings,
			}.Rules()),
			"proxy": kind.Connect(corev1.SchemeGroupVersion.WithKind("ServiceProxyOptions"), proxied...),
		},
	}
}

func serviceCells(s *corev1.Service, now time.Time) []any {
	ip := none
	if len(s.Spec.ClusterIPs) > 0 {
		ip = s.Spec.ClusterIPs[0]
	} else if s.Spec.ClusterIP != "" {
		ip = s.Spec.ClusterIP
	}
	return []any{
		s.Name, string(s.Spec.Type), ip, externalIP(s), orNone(portsText(s.Spec.Ports)), kind.Age(s, now),
		metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: s.Spec.Selector}),
	}
}

func externalIP(s *corev1.Service) string {
	switch s.Spec.Type {
	case corev1.ServiceTypeExternalName:
		return s.Spec.ExternalName
	case corev1.ServiceTypeLoadBalancer:
		all := ingressAddresses(s.Status.LoadBalancer.Ingress)
		all = append(all, s.Spec.ExternalIPs...)
		if len(all) == 0 {
			return "<pending>"
		}
		return strings.Join(all, ",")
	}
	return orNone(strings.Join(s.Spec.ExternalIPs, ","))
}

func ingressAddresses(ingress []corev1.LoadBalancerIngress) []string {
	var all []string
	for _, i := range ingress {
		switch {
		case i.IP != "":
			all = append(all, i.IP)
		case i.Hostname != "":
			all = append(all, i.Hostname)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func portsText(ports []corev1.ServicePort) string {
	parts := make([]string, len(ports))
	for i, p := range ports {
		parts[i] = fmt.Sprintf("%d/%s", p.Port, p.Protocol)
		if p.NodePort > 0 {
			parts[i] = fmt.Sprintf("%d:%d/%s", p.Port, p.NodePort, p.Protocol)
		}
	}
	return strings.Join(parts, ",")
}
