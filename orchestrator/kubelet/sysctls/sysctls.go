// Package sysctls knows which kernel settings a pod may have of its own: those of a namespace that the pod does not share with its node, and among
// them those that harm nobody or that the node's configuration lets through ("Using sysctls in a Kubernetes Cluster").
//
// Pure. Admission asks it before a pod is let in; the runtime's client, when a sandbox is made with the node's defaults.
package sysctls

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Namespace that a setting belongs to.
type Namespace string

// Namespaces. A setting of None is the whole machine's; the host name is a namespace of its own, which a pod shares when it shares the network.
const (
	None    Namespace = ""
	IPC     Namespace = "ipc"
	Network Namespace = "net"
)

var groups = []struct {
	prefix string
	of     Namespace
}{
	{"kernel.shm", IPC}, {"kernel.msg", IPC}, {"kernel.sem", IPC}, {"fs.mqueue.", IPC}, {"net.", Network}, {"kernel.domainname", Network},
}

// Of a setting, written with dots.
func Of(name string) Namespace {
	for _, g := range groups {
		whole := g.prefix == "kernel.sem" || g.prefix == "kernel.domainname"
		if name == g.prefix || (!whole && strings.HasPrefix(name, g.prefix)) {
			return g.of
		}
	}
	return None
}

// Normal writes a name with dots between its parts, whichever of the two notations it has: the separator that comes first.
func Normal(name string) string {
	first := strings.IndexAny(name, "./")
	if first < 0 || name[first] == '.' {
		return name
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '/':
			return '.'
		case '.':
			return '/'
		}
		return r
	}, name)
}

// safe ones are isolated between pods and between pod and node.
var safe = map[string]bool{
	"kernel.shm_rmid_forced": true, "net.ipv4.ip_local_port_range": true, "net.ipv4.tcp_syncookies": true, "net.ipv4.ping_group_range": true,
	"net.ipv4.ip_unprivileged_port_start": true, "net.ipv4.ip_local_reserved_ports": true, "net.ipv4.tcp_keepalive_time": true,
	"net.ipv4.tcp_fin_timeout": true, "net.ipv4.tcp_keepalive_intvl": true, "net.ipv4.tcp_keepalive_probes": true,
	"net.ipv4.tcp_rmem": true, "net.ipv4.tcp_wmem": true,
}

// Policy of a node.
type Policy struct {
	names    map[string]bool
	prefixes []string
}

// New makes a policy of the safe settings and of allowed: names, and patterns that end in *. All of them must be a namespace's.
func New(allowed []string) (Policy, error) {
	p := Policy{names: maps.Clone(safe)}
	for _, text := range allowed {
		name, pattern := strings.CutSuffix(Normal(text), "*")
		if strings.Contains(name, "*") || name == "" {
			return p, fmt.Errorf("allowedUnsafeSysctls: %q must be a name, or a beginning followed by *", text)
		}
		if Of(name) == None {
			return p, fmt.Errorf("allowedUnsafeSysctls: %q is not known to be a namespace's own: only kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.* and net.* can be allowed", text)
		}
		if pattern {
			p.prefixes = append(p.prefixes, name)
		} else {
			p.names[name] = true
		}
	}
	return p, nil
}

// Defaults checks settings that every pod is to have, and returns them with dots.
func Defaults(values map[string]string) (map[string]string, error) {
	all := map[string]string{}
	for name, value := range values {
		if Of(Normal(name)) == None {
			return nil, fmt.Errorf("defaultPodSysctls: %q is not known to be a namespace's own", name)
		}
		all[Normal(name)] = value
	}
	return all, nil
}

// Check returns why a pod may not have the settings that it asks for.
func (p Policy) Check(pod *corev1.Pod) error {
	if pod.Spec.SecurityContext == nil {
		return nil
	}
	for _, s := range pod.Spec.SecurityContext.Sysctls {
		name := Normal(s.Name)
		if !p.names[name] && !slices.ContainsFunc(p.prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			return fmt.Errorf("%q not allowlisted", s.Name)
		}
		switch of := Of(name); {
		case of == Network && pod.Spec.HostNetwork, of == IPC && pod.Spec.HostIPC:
			return fmt.Errorf("%q not allowed with host %s enabled", s.Name, of)
		}
	}
	return nil
}
