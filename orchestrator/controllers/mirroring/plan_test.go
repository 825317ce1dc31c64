package mirroring

import (
	"fmt"
	"testing"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestMirrored(t *testing.T) {
	byHand := core.Endpoints{ObjectMeta: meta.ObjectMeta{Name: "db"}}
	with := func(alter func(*core.Endpoints)) *core.Endpoints {
		e := byHand.DeepCopy()
		alter(e)
		return e
	}
	selecting := &core.Service{Spec: core.ServiceSpec{Selector: map[string]string{"app": "db"}}}
	for _, row := range []struct {
		name      string
		endpoints *core.Endpoints
		service   *core.Service
		want      bool
	}{
		{"written by hand", &byHand, &core.Service{}, true},
		{"of a Service with a selector", &byHand, selecting, false},
		{"asks to be skipped", with(func(e *core.Endpoints) { e.Labels = map[string]string{discovery.LabelSkipMirror: "true"} }), &core.Service{}, false},
		{"a lock", with(func(e *core.Endpoints) {
			e.Annotations = map[string]string{"control-plane.alpha.kubernetes.io/leader": "{}"}
		}), &core.Service{}, false},
		{"being deleted", with(func(e *core.Endpoints) { e.DeletionTimestamp = &meta.Time{} }), &core.Service{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := mirrored(row.endpoints, row.service); got != row.want {
				t.Errorf("mirrored: %v, want %v", got, row.want)
			}
		})
	}
}

func TestGroupsByFamilyAndPorts(t *testing.T) {
	ports := []core.EndpointPort{{Name: "web", Port: 8080, Protocol: core.ProtocolTCP}}
	wanted, left := groups(&core.Endpoints{Subsets: []core.EndpointSubset{
		{Addresses: []core.EndpointAddress{{IP: "10.1.2.3", Hostname: "a"}, {IP: "fd00::1"}}, NotReadyAddresses: []core.EndpointAddress{{IP: "10.1.2.4"}}, Ports: ports},
		{Addresses: []core.EndpointAddress{{IP: "10.1.2.9"}}, Ports: ports},
	}})
	if left != 0 || len(wanted) != 2 {
		t.Fatalf("%d groups, %d left out; want one group a family", len(wanted), left)
	}
	four := wanted[0]
	if four.Family != discovery.AddressTypeIPv4 || len(four.Endpoints) != 3 {
		t.Fatalf("%s has %d endpoints, want 3 of IPv4", four.Family, len(four.Endpoints))
	}
	for i, ready := range []bool{true, false, true} {
		if *four.Endpoints[i].Conditions.Ready != ready {
			t.Errorf("endpoint %s is ready: %v", four.Endpoints[i].Addresses[0], !ready)
		}
	}
}

func TestSubsetsAreCapped(t *testing.T) {
	var subset core.EndpointSubset
	for i := range maxPerSubset + 7 {
		subset.Addresses = append(subset.Addresses, core.EndpointAddress{IP: fmt.Sprintf("10.1.%d.%d", i/250, i%250+1)})
	}
	wanted, left := groups(&core.Endpoints{Subsets: []core.EndpointSubset{subset}})
	if left != 7 || len(wanted[0].Endpoints) != maxPerSubset {
		t.Errorf("%d mirrored, %d left out", len(wanted[0].Endpoints), left)
	}
}
