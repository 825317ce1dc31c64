package podnetwork

import (
	"net/netip"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func node(name, address string, cidrs ...string) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.NodeSpec{PodCIDRs: cidrs}}
	if address != "" {
		n.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: name}, {Type: corev1.NodeInternalIP, Address: address}}
	}
	return n
}

func to(pods, via string) hop {
	h := hop{Pods: netip.MustParsePrefix(pods)}
	if via != "" {
		h.Via = netip.MustParseAddr(via)
	}
	return h
}

func TestMakePlan(t *testing.T) {
	tests := []struct {
		name   string
		nodes  []*corev1.Node
		routes []hop
		own    int
	}{
		{"no nodes", nil, nil, 0},
		{"this node without a range", []*corev1.Node{node("me", "172.30.0.2")}, nil, 0},
		{"two nodes", []*corev1.Node{node("b", "172.30.0.3", "10.244.1.0/24"), node("me", "172.30.0.2", "10.244.0.0/24")},
			[]hop{to("10.244.0.0/24", ""), to("10.244.1.0/24", "172.30.0.3")}, 1},
		{"a node without an address", []*corev1.Node{node("b", "", "10.244.1.0/24")}, nil, 0},
		{"a range of a family in which the node has no address", []*corev1.Node{node("b", "172.30.0.3", "10.244.1.0/24", "fd00::/64")},
			[]hop{to("10.244.1.0/24", "172.30.0.3")}, 0},
		{"a range that is none", []*corev1.Node{node("b", "172.30.0.3", "x")}, nil, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := makePlan("me", test.nodes)
			if !reflect.DeepEqual(got.Routes, test.routes) || len(got.Own) != test.own {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAHeartbeatMovesNothing(t *testing.T) {
	before := node("a", "172.30.0.2", "10.244.1.0/24")
	beat := before.DeepCopy()
	beat.ResourceVersion, beat.Status.Conditions = "2", []corev1.NodeCondition{{Type: corev1.NodeReady}}
	tests := []struct {
		name string
		now  *corev1.Node
		want bool
	}{
		{"a heartbeat", beat, false},
		{"another address", node("a", "172.30.0.3", "10.244.1.0/24"), true},
		{"a range", node("a", "172.30.0.2", "10.244.1.0/24", "fd00::/64"), true},
	}
	for _, test := range tests {
		if got := moved(before, test.now); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
