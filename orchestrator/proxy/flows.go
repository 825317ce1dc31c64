package proxy

import (
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// flows makes the kernel forget UDP flows that lead to an endpoint which is gone. UDP has no end of a connection: a client that keeps sending
// from one port would stay with its dead endpoint for as long as it sends.
//
// To find them the kernel's whole table is read, which takes long on a busy machine: changes of the filter do not wait for it.
type flows struct {
	logger *slog.Logger
	// remove deletes the flows of a family that match.
	remove func(family netlink.InetFamily, stale destinations) (uint, error)
	// served are the UDP frontends of each Service, and where they lead.
	served map[string]destinations
	wake   chan struct{}

	mu sync.Mutex
	// stale are the frontends whose flows are to be looked at, and where they lead now.
	stale destinations
}

type destinations map[ruleset.Frontend][]netip.AddrPort

func newFlows(logger *slog.Logger) *flows {
	return &flows{
		logger: logger, served: map[string]destinations{}, wake: make(chan struct{}, 1), stale: destinations{},
		remove: func(family netlink.InetFamily, stale destinations) (uint, error) {
			return netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, stale)
		},
	}
}

// forget learns the new fragments, and has the flows deleted that no longer agree with them. It serves one goroutine at a time.
func (f *flows) forget(fragments map[string]ruleset.Fragment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for owner, fragment := range fragments {
		now := udpDestinations(fragment)
		for front := range f.served[owner] {
			f.stale[front] = nil
		}
		maps.Copy(f.stale, now)
		delete(f.served, owner)
		if len(now) > 0 {
			f.served[owner] = now
		}
	}
	if len(f.stale) == 0 {
		return
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// run deletes flows until ctx ends.
func (f *flows) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
			f.mu.Lock()
			stale := f.stale
			f.stale = destinations{}
			f.mu.Unlock()
			f.delete(stale)
		}
	}
}

func (f *flows) delete(stale destinations) {
	for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
		deleted, err := f.remove(family, stale)
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
