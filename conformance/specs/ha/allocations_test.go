package ha

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOnlyWhatTwoServicesHaveIsGivenTwice(t *testing.T) {
	service := func(name, ip string, ports ...corev1.ServicePort) corev1.Service {
		return corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{ClusterIP: ip, Ports: ports}}
	}
	port := func(n int32, p corev1.Protocol) corev1.ServicePort {
		return corev1.ServicePort{NodePort: n, Protocol: p}
	}
	for name, row := range map[string]struct {
		all  []corev1.Service
		want string
	}{
		"other names for hosts":            {[]corev1.Service{service("a", ""), service("b", "")}, ""},
		"headless":                         {[]corev1.Service{service("a", "None"), service("b", "None")}, ""},
		"one port over two protocols":      {[]corev1.Service{service("a", "10.0.0.1", port(30000, "TCP"), port(30000, "UDP"))}, ""},
		"an address and its list":          {[]corev1.Service{{Spec: corev1.ServiceSpec{ClusterIP: "10.0.0.1", ClusterIPs: []string{"10.0.0.1", "fd00::1"}}}}, ""},
		"one address":                      {[]corev1.Service{service("a", "10.0.0.1"), service("b", "10.0.0.1")}, "10.0.0.1: /a and /b"},
		"one port, whatever the protocols": {[]corev1.Service{service("a", "10.0.0.1", port(30000, "TCP")), service("b", "10.0.0.2", port(30000, "UDP"))}, "node port 30000: /a and /b"},
	} {
		if wrong := strings.Join(twice(row.all), ", "); wrong != row.want {
			t.Errorf("%s: %q, want %q", name, wrong, row.want)
		}
	}
}
