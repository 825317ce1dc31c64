package core

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// The rows are what stock answers.
func TestAddressesOfEndpoints(t *testing.T) {
	const invalid = "subsets[0].addresses[0].ip: Invalid value: "
	for address, want := range map[string]string{
		"10.1.1.1":    "",
		"2001:DB8::1": "", // its form gets a warning
		"239.1.1.1":   "",
		"0.0.0.0":     invalid + `"0.0.0.0": may not be unspecified (0.0.0.0)`,
		"::":          invalid + `"::": may not be unspecified (::)`,
		"127.5.5.5":   invalid + `"127.5.5.5": may not be in the loopback range (127.0.0.0/8, ::1/128)`,
		"169.254.1.1": invalid + `"169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)`,
		"ff02::1":     invalid + `"ff02::1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)`,
		"010.1.1.1":   invalid + `"010.1.1.1": must not have leading 0s`,
		"bad":         "[" + invalid + `"bad": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff), ` + invalid + `"bad": must be a valid IP address]`,
		"::ffff:127.0.0.1": "[" + invalid + `"::ffff:127.0.0.1": must not be an IPv4-mapped IPv6 address, ` +
			invalid + `"::ffff:127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)]`,
	} {
		e := &corev1.Endpoints{Subsets: []corev1.EndpointSubset{{Addresses: []corev1.EndpointAddress{{IP: address}}}}}
		if got := text(validateEndpoints(t.Context(), e).ToAggregate()); got != want {
			t.Errorf("%s:\n got %s\nwant %s", address, got, want)
		}
		if errs := validateEndpointsUpdate(t.Context(), e, e); len(errs) > 0 {
			t.Errorf("%s, which has not changed: %v", address, errs)
		}
	}
}

func TestNodeStatus(t *testing.T) {
	address := corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: "10.1.1.1"}
	for _, row := range []struct {
		name string
		new  corev1.NodeStatus
		want string
	}{
		{"loopback is left to who dials it", corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}}}, ""},
		{"the same twice", corev1.NodeStatus{Addresses: []corev1.NodeAddress{address, address}},
			`status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"10.1.1.1"}`},
		{"negative", corev1.NodeStatus{Capacity: corev1.ResourceList{"cpu": resource.MustParse("-1")}}, `status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0`},
		{"half a pod", corev1.NodeStatus{Allocatable: corev1.ResourceList{"pods": resource.MustParse("1.5")}}, `status.allocatable.pods: Invalid value: "1500m": must be an integer`},
		{"half a device", corev1.NodeStatus{Allocatable: corev1.ResourceList{"example.com/x": resource.MustParse("1.5")}}, `status.allocatable.example.com/x: Invalid value: "1500m": must be an integer`},
	} {
		if got := text(validateNodeUpdate(t.Context(), &corev1.Node{Status: row.new}, &corev1.Node{}).ToAggregate()); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}

func TestKubeletsAreNotConfiguredByTheirNode(t *testing.T) {
	n := &corev1.Node{Spec: corev1.NodeSpec{ConfigSource: &corev1.NodeConfigSource{}}, Status: corev1.NodeStatus{Config: &corev1.NodeConfigStatus{}}}
	if normaliseNode(n); n.Spec.ConfigSource != nil || n.Status.Config != nil {
		t.Errorf("%v %v are kept", n.Spec.ConfigSource, n.Status.Config)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
