package podspec_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

const badIP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"

// The rows are what stock answers.
func TestAddressesOfAPodHaveTheFormOfAddresses(t *testing.T) {
	for _, row := range []struct {
		name   string
		status corev1.PodStatus
		want   string
	}{
		{"both families", corev1.PodStatus{PodIPs: podIPs("10.1.1.1", "2001:db8::1"), HostIP: "10.2.2.2", HostIPs: hostIPs("10.2.2.2", "2001:db8::2")}, ""},
		{"loopback is left to who dials it", corev1.PodStatus{PodIPs: podIPs("127.0.0.1"), HostIP: "::1", HostIPs: hostIPs("::1")}, ""},
		{"no address", corev1.PodStatus{PodIPs: podIPs("bad")}, `status.podIPs[0]: Invalid value: "bad": ` + badIP},
		{"leading zeros", corev1.PodStatus{PodIPs: podIPs("010.0.0.1")}, `status.podIPs[0]: Invalid value: "010.0.0.1": must not have leading 0s`},
		{"mapped", corev1.PodStatus{HostIP: "::ffff:1.2.3.4", HostIPs: hostIPs("::ffff:1.2.3.4")},
			`status.hostIPs[0]: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address`},
		{"was there before", corev1.PodStatus{PodIPs: podIPs("old")}, ""},
		{"one family twice", corev1.PodStatus{PodIPs: podIPs("10.1.1.1", "10.1.1.2")},
			`status.podIPs: Invalid value: [{"IP":"10.1.1.1"},{"IP":"10.1.1.2"}]: may specify no more than one IP for each IP family`},
		{"three", corev1.PodStatus{HostIP: "10.1.1.1", HostIPs: hostIPs("10.1.1.1", "2001:db8::1", "10.1.1.3")},
			`status.hostIPs: Invalid value: [{"IP":"10.1.1.1"},{"IP":"2001:db8::1"},{"IP":"10.1.1.3"}]: may specify no more than one IP for each IP family`},
		{"an empty one", corev1.PodStatus{PodIPs: podIPs("10.1.1.1", "")}, `[status.podIPs[1]: Invalid value: "": ` + badIP +
			`, status.podIPs: Internal error: failed to check for dual stack with error:invalid IP[1]: , status.podIPs: Invalid value: [{"IP":"10.1.1.1"},{"IP":""}]: may specify no more than one IP for each IP family]`},
		{"the host's disagree", corev1.PodStatus{HostIP: "10.1.1.1", HostIPs: hostIPs("10.1.1.2")},
			"status.hostIPs[0].ip: Invalid value: \"10.1.1.2\": must be equal to `hostIP`"},
		{"no generation", corev1.PodStatus{ObservedGeneration: -1}, "status.observedGeneration: Invalid value: -1: must be a non-negative integer"},
	} {
		old := &corev1.Pod{Status: corev1.PodStatus{PodIPs: podIPs("old")}}
		got := ""
		if err := podspec.ValidateStatus(&corev1.Pod{Status: row.status}, old).ToAggregate(); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}

func podIPs(all ...string) []corev1.PodIP {
	var ips []corev1.PodIP
	for _, ip := range all {
		ips = append(ips, corev1.PodIP{IP: ip})
	}
	return ips
}

func hostIPs(all ...string) []corev1.HostIP {
	var ips []corev1.HostIP
	for _, ip := range all {
		ips = append(ips, corev1.HostIP{IP: ip})
	}
	return ips
}
