package endpointslice

import (
	"fmt"
	"testing"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/slicing"
)

func service() *core.Service {
	return &core.Service{
		ObjectMeta: meta.ObjectMeta{Namespace: "ns", Name: "web", UID: "svc"},
		Spec: core.ServiceSpec{
			ClusterIP: "10.96.0.9", IPFamilies: []core.IPFamily{core.IPv4Protocol}, Ports: []core.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080), Protocol: core.ProtocolTCP}},
		},
	}
}

func pod(i int, ready bool) *core.Pod {
	status := core.ConditionFalse
	if ready {
		status = core.ConditionTrue
	}
	name, ip := fmt.Sprintf("web-%d", i), fmt.Sprintf("10.0.%d.%d", i/250, i%250+1)
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID(name)},
		Spec:       core.PodSpec{NodeName: "n1"},
		Status: core.PodStatus{
			Phase: core.PodRunning, PodIP: ip, PodIPs: []core.PodIP{{IP: ip}}, Conditions: []core.PodCondition{{Type: core.PodReady, Status: status}},
		},
	}
}

var nodes = map[string]*core.Node{"n1": {ObjectMeta: meta.ObjectMeta{Name: "n1"}}}

func many(n int) (out []*core.Pod) {
	for i := range n {
		out = append(out, pod(i, true))
	}
	return out
}

// stored gives created slices what the apiserver would.
func stored(c slicing.Changes) (out []*discovery.EndpointSlice) {
	for i, s := range c.Create {
		s.UID, s.Name = types.UID(fmt.Sprint(i)), fmt.Sprint("web-", i)
		out = append(out, s)
	}
	return out
}

func TestPlanWritesLittle(t *testing.T) {
	s := service()
	first := slicing.Plan(owner(s), groups(s, many(150), nodes), nil)
	if len(first.Create) != 2 {
		t.Fatalf("150 pods: %d slices, want 2", len(first.Create))
	}
	slices := stored(first)
	if c := slicing.Plan(owner(s), groups(s, many(150), nodes), slices); len(c.Create)+len(c.Update)+len(c.Remove) != 0 {
		t.Errorf("nothing changed: %d created, %d updated, %d removed", len(c.Create), len(c.Update), len(c.Remove))
	}
	if c := slicing.Plan(owner(s), groups(s, many(151), nodes), slices); len(c.Create) != 0 || len(c.Update) != 1 {
		t.Errorf("one more pod: %d created, %d updated, want one update", len(c.Create), len(c.Update))
	}
	c := slicing.Plan(owner(s), nil, slices)
	if len(c.Remove) != 1 || len(c.Update) != 1 || len(c.Update[0].Endpoints) != 0 {
		t.Errorf("no pods: %d removed, %d updated, want one empty slice to stay", len(c.Remove), len(c.Update))
	}
}

func TestConditionsOfEndpoints(t *testing.T) {
	ending := pod(1, true)
	ending.DeletionTimestamp = &meta.Time{}
	tolerant := service()
	tolerant.Spec.PublishNotReadyAddresses = true
	for _, row := range []struct {
		name                        string
		service                     *core.Service
		pod                         *core.Pod
		ready, serving, terminating bool
	}{
		{"ready", service(), pod(1, true), true, true, false},
		{"not ready", service(), pod(1, false), false, false, false},
		{"terminating but serving", service(), ending, false, true, true},
		{"not ready but published", tolerant, pod(1, false), true, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := groups(row.service, []*core.Pod{row.pod}, nodes)[0].Endpoints[0].Conditions
			if *c.Ready != row.ready || *c.Serving != row.serving || *c.Terminating != row.terminating {
				t.Errorf("ready %v serving %v terminating %v", *c.Ready, *c.Serving, *c.Terminating)
			}
		})
	}
}

// As v1.37.2: the slices leave a pod of an unknown node out, unless the Service publishes whatever it selects.
func TestAPodOfANodeThatDoesNotExistIsNotPublished(t *testing.T) {
	lost, tolerant := pod(2, true), service()
	lost.Spec.NodeName = "no-such-node"
	tolerant.Spec.PublishNotReadyAddresses = true
	mine := []*core.Pod{pod(1, true), lost}
	for _, row := range []struct {
		name    string
		service *core.Service
		want    int
		nowhere int
	}{{"as usual", service(), 1, 1}, {"publishNotReadyAddresses", tolerant, 2, 0}} {
		t.Run(row.name, func(t *testing.T) {
			got := groups(row.service, mine, nodes)
			if len(got) != 1 || len(got[0].Endpoints) != row.want {
				t.Errorf("%d groups, the first with %d endpoints; want %d", len(got), len(got[0].Endpoints), row.want)
			}
			if n := len(nowhere(row.service, mine, nodes)); n != row.nowhere {
				t.Errorf("waits for %d nodes, want %d", n, row.nowhere)
			}
		})
	}
}
