package proxy

import (
	"log/slog"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// flows makes the kernel forget UDP flows that lead to an endpoint which is gone. UDP has no end of a connection: a client that keeps sending
// from one port would stay with its dead endpoint for as long as it sends.
type flows struct {
	logger *slog.Logger
	// served are the UDP frontends of each Service, and where they lead.
	served map[string]destinations
}

type destinations map[ruleset.Frontend][]netip.AddrPort

func newFlows(logger *slog.Logger) *flows {
	return &flows{logger: logger, served: map[string]destinations{}}
}

// forget learns the new fragments and deletes the flows that no longer agree with them.
func (f *flows) forget(fragments map[string]ruleset.Fragment) {
	stale := destinations{}
	for owner, fragment := range fragments {
		now := udpDestinations(fragment)
		for front := range f.served[owner] {
			stale[front] = nil
		}
		for front, to := range now {
			stale[front] = to
		}
		delete(f.served, owner)
		if len(now) > 0 {
			f.served[owner] = now
		}
	}
	if len(stale) == 0 {
		return
	}
	for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
		deleted, err := netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, stale)
		if err != nil {
			f.logger.Error("delete stale UDP flows", "error", err)
		}
		if deleted > 0 {
			f.logger.Info("deleted stale UDP flows", "flows", deleted)
		}
	}
}

// MatchConntrackFlow tells whether flow was sent to one of the frontends and led to none of its endpoints.
func (d destinations) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	if flow.Forward.Protocol != unix.IPPROTO_UDP {
		return false
	}
	address, ok := netip.AddrFromSlice(flow.Forward.DstIP)
	if !ok {
		return false
	}
	to, ours := d[ruleset.Frontend{Address: address.Unmap(), Protocol: ruleset.UDP, Port: flow.Forward.DstPort}]
	if !ours {
		return false
	}
	answers, ok := netip.AddrFromSlice(flow.Reverse.SrcIP)
	return ok && !slices.Contains(to, netip.AddrPortFrom(answers.Unmap(), flow.Reverse.SrcPort))
}

func udpDestinations(fragment ruleset.Fragment) destinations {
	out := destinations{}
	for k, v := range fragment {
		switch {
		case k.Protocol != ruleset.UDP:
		case k.Set == ruleset.NoEndpoints:
			if _, some := out[k.Frontend]; !some {
				out[k.Frontend] = nil
			}
		case v.Endpoint.IsValid():
			out[k.Frontend] = append(out[k.Frontend], v.Endpoint)
		}
	}
	return out
}
