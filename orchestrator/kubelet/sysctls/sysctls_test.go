package sysctls

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func pod(change func(*corev1.PodSpec), names ...string) *corev1.Pod {
	p := &corev1.Pod{Spec: corev1.PodSpec{SecurityContext: &corev1.PodSecurityContext{}}}
	for _, name := range names {
		p.Spec.SecurityContext.Sysctls = append(p.Spec.SecurityContext.Sysctls, corev1.Sysctl{Name: name, Value: "1"})
	}
	if change != nil {
		change(&p.Spec)
	}
	return p
}

// allowedUnsafeSysctls was ignored: what it allows was refused.
func TestWhichSettingsAPodMayHave(t *testing.T) {
	hostNetwork := func(s *corev1.PodSpec) { s.HostNetwork = true }
	hostIPC := func(s *corev1.PodSpec) { s.HostIPC = true }
	for name, row := range map[string]struct {
		allowed []string
		pod     *corev1.Pod
		says    string
	}{
		"none":                            {nil, &corev1.Pod{}, ""},
		"a safe one":                      {nil, pod(nil, "net.ipv4.tcp_syncookies"), ""},
		"a safe one with slashes":         {nil, pod(nil, "net/ipv4/tcp_syncookies"), ""},
		"an unsafe one":                   {nil, pod(nil, "kernel.msgmax"), `"kernel.msgmax" not allowlisted`},
		"an unsafe one that is allowed":   {[]string{"kernel.msgmax"}, pod(nil, "kernel.msgmax"), ""},
		"another than is allowed":         {[]string{"kernel.msgmax"}, pod(nil, "kernel.msgmni"), `"kernel.msgmni" not allowlisted`},
		"by pattern":                      {[]string{"kernel.msg*"}, pod(nil, "kernel.msgmax", "kernel.msgmni"), ""},
		"by pattern, with slashes":        {[]string{"net/core/*"}, pod(nil, "net.core.somaxconn"), ""},
		"an interface's name holds a dot": {[]string{"net.ipv4.conf.*"}, pod(nil, "net/ipv4/conf/eth0.1/forwarding"), ""},
		"beside a pattern":                {[]string{"kernel.msg*"}, pod(nil, "kernel.sem"), `"kernel.sem" not allowlisted`},
		"the machine's own":               {nil, pod(nil, "vm.swappiness"), `"vm.swappiness" not allowlisted`},
		"the node's network":              {nil, pod(hostNetwork, "net.ipv4.tcp_syncookies"), "not allowed with host net enabled"},
		"the node's IPC":                  {nil, pod(hostIPC, "kernel.shm_rmid_forced"), "not allowed with host ipc enabled"},
		"another namespace is the node's": {nil, pod(hostIPC, "net.ipv4.tcp_syncookies"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			policy, err := New(row.allowed)
			if err != nil {
				t.Fatal(err)
			}
			err = policy.Check(row.pod)
			if (err == nil) != (row.says == "") || (err != nil && !strings.Contains(err.Error(), row.says)) {
				t.Errorf("%v, want %q", err, row.says)
			}
		})
	}
}

func TestOnlySettingsOfNamespacesCanBeAllowed(t *testing.T) {
	for _, text := range []string{"vm.swappiness", "kernel.*", "*", "", "kernel.semaphore", "user.max_user_namespaces", "net.*.x"} {
		if _, err := New([]string{text}); err == nil || !strings.Contains(err.Error(), "allowedUnsafeSysctls") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"kernel.shm*", "kernel.msg*", "kernel.sem", "fs.mqueue.*", "net.*"} {
		if _, err := New([]string{text}); err != nil {
			t.Error(err)
		}
	}
	if _, err := Defaults(map[string]string{"vm.swappiness": "1"}); err == nil {
		t.Error("a default of the whole machine's was taken")
	}
	if got, err := Defaults(map[string]string{"net/core/somaxconn": "1024"}); err != nil || got["net.core.somaxconn"] != "1024" {
		t.Errorf("%v, %v", got, err)
	}
}
