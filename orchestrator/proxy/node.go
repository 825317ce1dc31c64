package proxy

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// describeNode says what rules depend on: the node's name, its zone, and which of its addresses take node port traffic.
func (p *Proxy) describeNode() ruleset.Node {
	out := ruleset.Node{Name: p.cfg.Settings.HostnameOverride}
	node := p.state.self()
	var own []netip.Addr
	if node != nil {
		out.Zone = node.Labels[corev1.LabelTopologyZone]
		own = internalIPs(node)
	}
	own = preferBound(p.cfg.Settings.BindAddress, own)
	wanted := p.cfg.Settings.NodePortAddresses
	if len(wanted) == 0 || slices.Contains(wanted, "primary") {
		out.Addresses = own
		return out
	}
	out.Addresses = localAddresses(parsePrefixes(wanted), p.cfg.Logger)
	return out
}

// internalIPs are the first internal addresses of each family.
func internalIPs(node *corev1.Node) []netip.Addr {
	var out []netip.Addr
	for _, a := range node.Status.Addresses {
		ip, err := netip.ParseAddr(a.Address)
		if a.Type != corev1.NodeInternalIP || err != nil {
			continue
		}
		if !slices.ContainsFunc(out, func(have netip.Addr) bool { return have.Is4() == ip.Is4() }) {
			out = append(out, ip)
		}
	}
	return out
}

// preferBound puts the address that the settings name in the place of the Node's one of its family: stock takes it for the node's own.
func preferBound(bind string, own []netip.Addr) []netip.Addr {
	bound, err := netip.ParseAddr(bind)
	if err != nil || bound.IsUnspecified() {
		return own
	}
	others := slices.DeleteFunc(slices.Clone(own), func(a netip.Addr) bool { return a.Is4() == bound.Is4() })
	return append([]netip.Addr{bound}, others...)
}

func parsePrefixes(texts []string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		if p, err := netip.ParsePrefix(text); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// localAddresses are the addresses of this host within the prefixes. Loopback never is: its packets are not routed.
func localAddresses(within []netip.Prefix, logger *slog.Logger) []netip.Addr {
	found, err := net.InterfaceAddrs()
	if err != nil {
		logger.Error("list the addresses of this node", "error", err)
		return nil
	}
	var out []netip.Addr
	for _, a := range found {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || prefix.Addr().IsLoopback() || prefix.Addr().IsLinkLocalUnicast() {
			continue
		}
		if slices.ContainsFunc(within, func(p netip.Prefix) bool { return p.Contains(prefix.Addr()) }) {
			out = append(out, prefix.Addr())
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// hasIPv6 tells whether the kernel speaks IPv6 here.
func hasIPv6() bool {
	_, err := os.Stat("/proc/sys/net/ipv6")
	return err == nil
}

// prepareHost applies the settings that concern the kernel and this process. A container may not be allowed to: that is told, and no reason to stop.
func prepareHost(s *Settings, logger *slog.Logger) {
	write := func(path, value string) {
		if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
			logger.Debug("adjust the host", "file", path, "value", value, "error", err)
		}
	}
	write("/proc/self/oom_score_adj", strconv.Itoa(int(*s.OOMScoreAdj)))
	write("/proc/sys/net/ipv4/ip_forward", "1")
	if hasIPv6() {
		write("/proc/sys/net/ipv6/conf/all/forwarding", "1")
	}
	const conntrack = "/proc/sys/net/netfilter/nf_conntrack_"
	if limit := connections(s, runtime.NumCPU()); limit > 0 {
		write(conntrack+"max", strconv.Itoa(limit))
	}
	if t := s.Conntrack.TCPEstablishedTimeout; t != nil && t.Duration > 0 {
		write(conntrack+"tcp_timeout_established", strconv.Itoa(int(t.Seconds())))
	}
	if t := s.Conntrack.TCPCloseWaitTimeout; t != nil && t.Duration > 0 {
		write(conntrack+"tcp_timeout_close_wait", strconv.Itoa(int(t.Seconds())))
	}
	if t := s.Conntrack.UDPTimeout.Duration; t > 0 {
		write(conntrack+"udp_timeout", strconv.Itoa(int(t.Seconds())))
	}
	if t := s.Conntrack.UDPStreamTimeout.Duration; t > 0 {
		write(conntrack+"udp_timeout_stream", strconv.Itoa(int(t.Seconds())))
	}
	if s.Conntrack.TCPBeLiberal {
		write(conntrack+"tcp_be_liberal", "1")
	}
}

// connections are how many the kernel should be able to follow; 0: as many as it does.
func connections(s *Settings, cores int) int {
	if *s.Conntrack.MaxPerCore <= 0 {
		return 0
	}
	return max(int(*s.Conntrack.MaxPerCore)*cores, int(*s.Conntrack.Min))
}
