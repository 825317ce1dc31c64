package slicing

import (
	"testing"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What the apiserver shows of a slice differs from what it was given: no ports are nil or empty, names and protocols have defaults.
func TestASliceThatComesBackIsTheOneThatWasWritten(t *testing.T) {
	empty, tcp, udp, port := "", core.ProtocolTCP, core.ProtocolUDP, int32(53)
	for _, row := range []struct {
		name           string
		written, shown []discovery.EndpointPort
		same           bool
	}{
		{"none: empty and nil", []discovery.EndpointPort{}, nil, true},
		{"none: nil and empty", nil, []discovery.EndpointPort{}, true},
		{"name and protocol left out", []discovery.EndpointPort{{Port: &port}}, []discovery.EndpointPort{{Name: &empty, Port: &port, Protocol: &tcp}}, true},
		{"another order", []discovery.EndpointPort{{Port: &port, Protocol: &udp}, {Port: &port}}, []discovery.EndpointPort{{Port: &port}, {Port: &port, Protocol: &udp}}, true},
		{"another protocol", []discovery.EndpointPort{{Port: &port, Protocol: &udp}}, []discovery.EndpointPort{{Port: &port}}, false},
		{"some and none", []discovery.EndpointPort{{Port: &port}}, nil, false},
		{"any port and port 53", []discovery.EndpointPort{{Port: &port}}, []discovery.EndpointPort{{}}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			one := []discovery.Endpoint{{Addresses: []string{"192.0.2.1"}}}
			owner := Owner{Object: &meta.ObjectMeta{Name: "s"}, Dress: func(*discovery.EndpointSlice) {}}
			stored := &discovery.EndpointSlice{ObjectMeta: meta.ObjectMeta{UID: "u"}, AddressType: discovery.AddressTypeIPv4, Ports: row.shown, Endpoints: one}
			todo := Plan(owner, []Group{{Family: discovery.AddressTypeIPv4, Ports: row.written, Endpoints: one}}, []*discovery.EndpointSlice{stored})
			if n := len(todo.Create) + len(todo.Update) + len(todo.Remove); (n == 0) != row.same {
				t.Errorf("%d created, %d updated, %d removed", len(todo.Create), len(todo.Update), len(todo.Remove))
			}
		})
	}
}
