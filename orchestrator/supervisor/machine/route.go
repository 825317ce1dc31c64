package machine

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// uplink is the interface that the contract gives a node.
const uplink = "eth0"

// onLinkDefault replaces the default route by an on-link one: addresses outside the bridge are asked for on the bridge and found missing, so
// that nothing leaks past it, while services that need some route to be chosen still have one.
func onLinkDefault() error {
	link, err := netlink.LinkByName(uplink)
	if err != nil {
		return fmt.Errorf("find %s: %w", uplink, err)
	}
	index := link.Attrs().Index
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return fmt.Errorf("list routes: %w", err)
	}
	for _, r := range routes {
		if !isDefault(r.Dst) || r.Gw == nil {
			continue
		}
		if err := netlink.RouteDel(&r); err != nil {
			return fmt.Errorf("delete default route via %s: %w", r.Gw, err)
		}
	}
	everything := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	route := &netlink.Route{LinkIndex: index, Scope: netlink.SCOPE_LINK, Dst: everything}
	if err := netlink.RouteReplace(route); err != nil {
		return fmt.Errorf("set on-link default route on %s: %w", uplink, err)
	}
	return nil
}

func isDefault(dst *net.IPNet) bool {
	if dst == nil {
		return true
	}
	ones, _ := dst.Mask.Size()
	return ones == 0
}
