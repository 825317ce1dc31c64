package discovery

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// EndpointSlice is the catalogue entry of endpointslices.
func EndpointSlice() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: discoveryv1.GroupName, Kind: "EndpointSlice", Resource: "endpointslices",
			Singular: "endpointslice"},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &discoveryv1.EndpointSlice{}, &discoveryv1.EndpointSliceList{})},
		Storage:    kind.Stored("endpointslices", discoveryv1.SchemeGroupVersion, &discoveryv1.EndpointSlice{}),
		Columns: kind.Table("Name;AddressType;Ports;Endpoints;Age", map[string]string{
			"AddressType": discoveryv1.EndpointSlice{}.SwaggerDoc()["addressType"],
			"Ports":       discoveryv1.EndpointSlice{}.SwaggerDoc()["ports"],
			"Endpoints":   discoveryv1.EndpointSlice{}.SwaggerDoc()["endpoints"],
		}),
		Cells: kind.Cells(func(s *discoveryv1.EndpointSlice, now time.Time) []any {
			return []any{s.Name, string(s.AddressType), portsText(s.Ports), addressesText(s.Endpoints), kind.Age(s, now)}
		}),
		Rules: kind.Typed[*discoveryv1.EndpointSlice]{
			Default: func(s *discoveryv1.EndpointSlice) {
				for i := range s.Ports {
					if s.Ports[i].Name == nil {
						s.Ports[i].Name = new(string)
					}
					if s.Ports[i].Protocol == nil {
						tcp := corev1.ProtocolTCP
						s.Ports[i].Protocol = &tcp
					}
				}
			},
			ValidateCreate: func(_ context.Context, s *discoveryv1.EndpointSlice) field.ErrorList { return validate(s) },
			ValidateUpdate: func(_ context.Context, s, old *discoveryv1.EndpointSlice) field.ErrorList {
				errs := validate(s)
				if s.AddressType != old.AddressType {
					errs = append(errs, field.Invalid(field.NewPath("addressType"), s.AddressType, "field is immutable"))
				}
				return errs
			},
			Generation: func(s, old *discoveryv1.EndpointSlice) bool {
				return !equality.Semantic.DeepEqual(s.Endpoints, old.Endpoints) || !equality.Semantic.DeepEqual(s.Ports, old.Ports) ||
					!equality.Semantic.DeepEqual(s.Labels, old.Labels)
			},
			UnconditionalUpdate: true,
		}.Rules(),
	}
}

// shown is how many ports or addresses a table lists.
const shown = 3

func portsText(ports []discoveryv1.EndpointPort) string {
	if len(ports) == 0 {
		return "<unset>"
	}
	var all []string
	for _, p := range ports {
		switch {
		case p.Port != nil:
			all = append(all, strconv.Itoa(int(*p.Port)))
		case p.Name != nil && *p.Name != "":
			all = append(all, *p.Name)
		default:
			all = append(all, "*")
		}
	}
	return abbreviated(all)
}

func addressesText(endpoints []discoveryv1.Endpoint) string {
	var all []string
	for _, e := range endpoints {
		all = append(all, e.Addresses...)
	}
	if len(all) == 0 {
		return "<unset>"
	}
	return abbreviated(all)
}

func abbreviated(all []string) string {
	if len(all) <= shown {
		return strings.Join(all, ",")
	}
	return strings.Join(all[:shown], ",") + fmt.Sprintf(" + %d more...", len(all)-shown)
}
