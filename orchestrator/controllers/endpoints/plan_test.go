package endpoints

import (
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func addressed(name, ip string, ready bool, alter func(*core.Pod)) *core.Pod {
	status := core.ConditionFalse
	if ready {
		status = core.ConditionTrue
	}
	p := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: name}, Status: core.PodStatus{
		Phase: core.PodRunning, PodIP: ip, PodIPs: []core.PodIP{{IP: ip}}, Conditions: []core.PodCondition{{Type: core.PodReady, Status: status}},
	}}
	if alter != nil {
		alter(p)
	}
	return p
}

// The values are what v1.37.2 wrote for a ready pod, an unready, an ended, a terminating and a portless one.
func TestSubsets(t *testing.T) {
	web := []core.ServicePort{{Port: 80, TargetPort: intstr.FromString("web"), Protocol: core.ProtocolTCP}}
	named := func(p *core.Pod) {
		p.Spec.Containers = []core.Container{{Ports: []core.ContainerPort{{Name: "web", ContainerPort: 8080, Protocol: core.ProtocolTCP}}}}
	}
	mine := []*core.Pod{
		addressed("a", "192.0.2.1", true, named), addressed("b", "192.0.2.2", false, named),
		addressed("c", "192.0.2.3", false, func(p *core.Pod) { named(p); p.Status.Phase = core.PodSucceeded }),
		addressed("d", "192.0.2.4", true, func(p *core.Pod) { named(p); p.DeletionTimestamp = &meta.Time{} }),
		addressed("e", "192.0.2.5", true, nil),
	}
	for _, row := range []struct {
		name        string
		spec        core.ServiceSpec
		up, waiting []string
	}{
		{"named port", core.ServiceSpec{Ports: web}, []string{"192.0.2.1"}, []string{"192.0.2.2"}},
		{"publishNotReadyAddresses", core.ServiceSpec{Ports: web, PublishNotReadyAddresses: true}, []string{"192.0.2.1", "192.0.2.2", "192.0.2.4"}, nil},
		{"headless without ports", core.ServiceSpec{ClusterIP: core.ClusterIPNone}, []string{"192.0.2.1", "192.0.2.5"}, []string{"192.0.2.2"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, _ := subsets(&core.Service{Spec: row.spec}, mine)
			if len(got) != 1 {
				t.Fatalf("%d subsets, want 1: %v", len(got), got)
			}
			list := func(all []core.EndpointAddress) (out []string) {
				for _, a := range all {
					out = append(out, a.IP)
				}
				return out
			}
			if up, waiting := list(got[0].Addresses), list(got[0].NotReadyAddresses); !slices.Equal(up, row.up) || !slices.Equal(waiting, row.waiting) {
				t.Errorf("ready %v, not ready %v; want %v and %v", up, waiting, row.up, row.waiting)
			}
		})
	}
}
