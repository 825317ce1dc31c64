package podnetwork

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// routeProtocol marks the routes that are ours, as routing daemons do: others are never touched.
	routeProtocol = 0x70
	// ownMetric of the route of last resort to this node's own pods: any other route to them is better.
	ownMetric = 4096
)

// applyRoutes makes the wanted routes the only ones with our mark.
func applyRoutes(wanted []hop, logger *slog.Logger) error {
	have, err := installed()
	if err != nil {
		return err
	}
	var problems []error
	for _, h := range wanted {
		if have[h] {
			delete(have, h)
			continue
		}
		if err := netlink.RouteReplace(h.route()); err != nil {
			problems = append(problems, fmt.Errorf("route %s via %s: %w", h.Pods, h.Via, err))
			continue
		}
		logger.Info("routed", "pods", h.Pods, "via", h.Via)
	}
	for h := range have {
		// A range that moved to another node has been replaced already.
		if err := netlink.RouteDel(h.route()); err != nil && !errors.Is(err, unix.ESRCH) {
			problems = append(problems, fmt.Errorf("remove the route to %s via %s: %w", h.Pods, h.Via, err))
		}
	}
	return errors.Join(problems...)
}

// installed are the routes with our mark.
func installed() (map[hop]bool, error) {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Protocol: routeProtocol}, netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	out := map[hop]bool{}
	for _, r := range routes {
		if r.Dst == nil {
			continue
		}
		address, ok := netip.AddrFromSlice(r.Dst.IP)
		if !ok {
			continue
		}
		bits, _ := r.Dst.Mask.Size()
		via, _ := netip.AddrFromSlice(r.Gw)
		out[hop{netip.PrefixFrom(address.Unmap(), bits), via.Unmap()}] = true
	}
	return out, nil
}

func (h hop) route() *netlink.Route {
	out := &netlink.Route{
		Protocol: routeProtocol,
		Dst:      &net.IPNet{IP: h.Pods.Addr().AsSlice(), Mask: net.CIDRMask(h.Pods.Bits(), h.Pods.Addr().BitLen())},
	}
	if h.Via.IsValid() {
		out.Gw = h.Via.AsSlice()
		return out
	}
	// Without it, a packet to a pod that is gone would leave by the default route, and its sender would wait.
	out.Type, out.Priority = unix.RTN_UNREACHABLE, ownMetric
	return out
}

// mtuOf returns the MTU of the interface that has address; 0 when there is none.
func mtuOf(address netip.Addr) int {
	interfaces, err := net.Interfaces()
	if err != nil {
		return 0
	}
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr() == address {
				return i.MTU
			}
		}
	}
	return 0
}

// forward makes the node a router.
func forward(logger *slog.Logger) {
	for _, file := range []string{"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"} {
		if err := os.WriteFile(file, []byte("1"), 0o644); err != nil && !errors.Is(err, os.ErrNotExist) {
			logger.Warn("let packets pass through this node", "error", err)
		}
	}
}
