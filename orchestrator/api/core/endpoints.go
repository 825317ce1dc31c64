package core

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Endpoints is the catalogue entry of endpoints, the deprecated forerunner of endpointslices.
func Endpoints() kind.Kind {
	return kind.Kind{
		Names:      kind.Names{Kind: "Endpoints", Resource: "endpoints", Singular: "endpoints", ShortNames: []string{"ep"}},
		Namespaced: true,
		Versions: []kind.Version{kind.Served("v1", &corev1.Endpoints{}, &corev1.EndpointsList{}).
			Warning("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice")},
		Storage: kind.Stored("services/endpoints", corev1.SchemeGroupVersion, &corev1.Endpoints{}),
		Columns: kind.Table("Name;Endpoints;Age", map[string]string{"Endpoints": corev1.Endpoints{}.SwaggerDoc()["subsets"]}),
		Cells: kind.Cells(func(e *corev1.Endpoints, now time.Time) []any {
			return []any{e.Name, endpointsText(e.Subsets), kind.Age(e, now)}
		}),
		Rules: kind.Typed[*corev1.Endpoints]{
			Default: func(e *corev1.Endpoints) {
				for i := range e.Subsets {
					for j := range e.Subsets[i].Ports {
						if p := &e.Subsets[i].Ports[j]; p.Protocol == "" {
							p.Protocol = corev1.ProtocolTCP
						}
					}
				}
			},
			ValidateCreate:      validateEndpoints,
			ValidateUpdate:      validateEndpointsUpdate,
			Warnings:            endpointsWarnings,
			UnconditionalUpdate: true,
		}.Rules(),
	}
}

// endpointsText shows the first three addresses with ports.
func endpointsText(subsets []corev1.EndpointSubset) string {
	const shown = 3
	var all []string
	for _, s := range subsets {
		for _, a := range s.Addresses {
			if len(s.Ports) == 0 {
				all = append(all, a.IP)
			}
			for _, p := range s.Ports {
				all = append(all, net.JoinHostPort(a.IP, strconv.Itoa(int(p.Port))))
			}
		}
	}
	if len(all) > shown {
		return strings.Join(all[:shown], ",") + fmt.Sprintf(" + %d more...", len(all)-shown)
	}
	return orNone(strings.Join(all, ","))
}
