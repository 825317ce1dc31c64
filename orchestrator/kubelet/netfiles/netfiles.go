// Package netfiles decides what a pod believes about names: its hostname, its /etc/hosts and its resolver configuration.
//
// Pure but for reading the node's own files. Workers feed it pods and hand its answers to the runtime.
package netfiles

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const maxHostname = 63

// Hostname of a pod and the domain that makes it fully qualified, empty without a subdomain.
func Hostname(pod *corev1.Pod, clusterDomain string) (host, domain string) {
	host = pod.Name
	if pod.Spec.Hostname != "" {
		host = pod.Spec.Hostname
	}
	if pod.Spec.HostnameOverride != nil && *pod.Spec.HostnameOverride != "" {
		return *pod.Spec.HostnameOverride, ""
	}
	if len(host) > maxHostname {
		host = strings.TrimRight(host[:maxHostname], "-.")
	}
	if pod.Spec.Subdomain != "" {
		domain = fmt.Sprintf("%s.%s.svc.%s", pod.Spec.Subdomain, pod.Namespace, clusterDomain)
	}
	return host, domain
}

// KernelHostname is what the hostname command prints: qualified when the pod asks for that. Linux takes 64 characters.
func KernelHostname(pod *corev1.Pod, host, domain string) (string, error) {
	if domain == "" || pod.Spec.SetHostnameAsFQDN == nil || !*pod.Spec.SetHostnameAsFQDN {
		return host, nil
	}
	qualified := host + "." + domain
	if len(qualified) > 64 {
		return "", fmt.Errorf("failed to construct FQDN from pod hostname and cluster domain, FQDN %s is too long (64 characters is the max, %d characters requested)", qualified, len(qualified))
	}
	return qualified, nil
}

// Hosts is the content of a pod's /etc/hosts. nodeHosts is the node's own file, the base for pods of the host network.
func Hosts(pod *corev1.Pod, ips []string, host, domain string, nodeHosts []byte) []byte {
	var out strings.Builder
	if pod.Spec.HostNetwork {
		out.WriteString("# Kubernetes-managed hosts file (host network).\n")
		out.Write(nodeHosts)
	} else {
		out.WriteString("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" +
			"fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n")
		for _, ip := range ips {
			if domain != "" {
				fmt.Fprintf(&out, "%s\t%s.%s\t%s\n", ip, host, domain, host)
			} else {
				fmt.Fprintf(&out, "%s\t%s\n", ip, host)
			}
		}
	}
	if len(pod.Spec.HostAliases) > 0 {
		out.WriteString("\n# Entries added by HostAliases.\n")
		for _, alias := range pod.Spec.HostAliases {
			fmt.Fprintf(&out, "%s\t%s\n", alias.IP, strings.Join(alias.Hostnames, "\t"))
		}
	}
	return []byte(out.String())
}

// Resolver is the cluster's: DNS servers and domain of the kubelet's configuration, and the node's own file.
type Resolver struct {
	Servers []string
	Domain  string
	// File of the node, /etc/resolv.conf; empty means a pod that wants the node's gets nothing.
	File string
}

// DNS is a pod's resolver configuration by its dnsPolicy, with its dnsConfig added.
func (r Resolver) DNS(pod *corev1.Pod) (*runtimeapi.DNSConfig, error) {
	policy := pod.Spec.DNSPolicy
	clusterFirst := policy == corev1.DNSClusterFirstWithHostNet || (!pod.Spec.HostNetwork && (policy == corev1.DNSClusterFirst || policy == ""))
	config := &runtimeapi.DNSConfig{}
	switch {
	case policy == corev1.DNSNone:
	case clusterFirst && len(r.Servers) > 0:
		node, err := r.node()
		if err != nil {
			return nil, err
		}
		config.Servers = slices.Clone(r.Servers)
		config.Searches = node.Searches
		if r.Domain != "" {
			own := []string{pod.Namespace + ".svc." + r.Domain, "svc." + r.Domain, r.Domain}
			config.Searches = unique(append(own, node.Searches...))
		}
		config.Options = []string{"ndots:5"}
	default:
		node, err := r.node()
		if err != nil {
			return nil, err
		}
		config = node
		if len(config.Servers) == 0 && r.File == "" {
			config.Servers = []string{"127.0.0.1"}
		}
	}
	if c := pod.Spec.DNSConfig; c != nil {
		config.Servers = unique(append(config.Servers, c.Nameservers...))
		config.Searches = unique(append(config.Searches, c.Searches...))
		config.Options = options(config.Options, c.Options)
	}
	return config, nil
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// options merges: a pod's own option replaces one of that name.
func options(base []string, own []corev1.PodDNSConfigOption) []string {
	for _, o := range own {
		text := o.Name
		if o.Value != nil && *o.Value != "" {
			text += ":" + *o.Value
		}
		at := slices.IndexFunc(base, func(s string) bool { name, _, _ := strings.Cut(s, ":"); return name == o.Name })
		if at >= 0 {
			base[at] = text
			continue
		}
		base = append(base, text)
	}
	return base
}

// node reads the node's own resolver file.
func (r Resolver) node() (*runtimeapi.DNSConfig, error) {
	config := &runtimeapi.DNSConfig{}
	if r.File == "" {
		return config, nil
	}
	f, err := os.Open(r.File)
	if err != nil {
		return nil, fmt.Errorf("read the node's resolver file: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "nameserver":
			config.Servers = append(config.Servers, words[1])
		case "search":
			config.Searches = slices.DeleteFunc(words[1:], func(s string) bool { return s == "." })
		case "options":
			config.Options = append(config.Options, words[1:]...)
		}
	}
	return config, lines.Err()
}
