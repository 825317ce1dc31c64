// Package link connects a pod's network namespace to its node: a pair of veths with a route of one address on the node's side, and a default
// route to the node on the pod's. There is no bridge: every packet is routed, and so seen by connection tracking in both directions.
//
// It is fed by package cni. It chooses no addresses and translates none.
package link

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// hostMAC is the node's end of every pod's link: there are only two ends to each, so that it can be the same everywhere.
var hostMAC = net.HardwareAddr{0x0a, 0x58, 0xa9, 0xfe, 0x01, 0x01}

// The next hop of a pod's default route. Nobody has these addresses: a permanent neighbour entry answers for them.
var (
	gateway4 = netip.MustParseAddr("169.254.1.1")
	gateway6 = netip.MustParseAddr("fe80::1")
)

// Gateway is the next hop of a pod with this address.
func Gateway(pod netip.Addr) netip.Addr {
	if pod.Is4() {
		return gateway4
	}
	return gateway6
}

// Config of a link.
type Config struct {
	// Container and Interface identify the link: interface Interface of sandbox Container.
	Container, Interface string
	// NetNS is the path of the pod's network namespace.
	NetNS     string
	Addresses []netip.Addr
	// MTU of both ends; 0: the kernel's default.
	MTU int
	// Loopback lets the node's loopback addresses be translated towards this pod.
	Loopback bool
}

// HostName is the name of the node's end.
func HostName(container, iface string) string {
	sum := sha256.Sum256([]byte(container + "/" + iface))
	return "pod" + hex.EncodeToString(sum[:6])
}

// MAC of a pod's end, made from its first address.
func MAC(address netip.Addr) net.HardwareAddr {
	b := address.AsSlice()
	return append(net.HardwareAddr{0x0a, 0x58}, b[len(b)-4:]...)
}

// Add makes the link, in place of one that is left from an attempt before. What it made is taken away when it fails.
func Add(cfg Config) error {
	ns, err := netns.GetFromPath(cfg.NetNS)
	if err != nil {
		return fmt.Errorf("open network namespace %s: %w", cfg.NetNS, err)
	}
	defer func() { _ = ns.Close() }()
	if err := Delete(cfg.Container, cfg.Interface); err != nil {
		return err
	}
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open a netlink socket: %w", err)
	}
	defer host.Close()
	pod, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open a netlink socket in %s: %w", cfg.NetNS, err)
	}
	defer pod.Close()
	if err := connect(cfg, host, pod, ns); err != nil {
		return errors.Join(err, Delete(cfg.Container, cfg.Interface))
	}
	return nil
}

func connect(cfg Config, host, pod *netlink.Handle, ns netns.NsHandle) error {
	name := HostName(cfg.Container, cfg.Interface)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.HardwareAddr, attrs.Flags = name, cfg.MTU, hostMAC, net.FlagUp
	veth := &netlink.Veth{
		LinkAttrs: attrs, PeerName: cfg.Interface, PeerHardwareAddr: MAC(cfg.Addresses[0]), PeerNamespace: netlink.NsFd(int(ns)),
		PeerMTU: uint32(cfg.MTU),
	}
	if err := host.LinkAdd(veth); err != nil {
		return fmt.Errorf("make the link %s: %w", name, err)
	}
	outer, err := host.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find the link %s: %w", name, err)
	}
	inner, err := pod.LinkByName(cfg.Interface)
	if err != nil {
		return fmt.Errorf("find the pod's end of link %s: %w", name, err)
	}
	if err := pod.LinkSetUp(inner); err != nil {
		return fmt.Errorf("set the pod's end of link %s up: %w", name, err)
	}
	if err := host.LinkSetUp(outer); err != nil {
		return fmt.Errorf("set link %s up: %w", name, err)
	}
	tune(name, cfg.Loopback)
	for _, address := range cfg.Addresses {
		if err := inside(pod, inner, address); err != nil {
			return fmt.Errorf("address the pod's end of link %s: %w", name, err)
		}
		if err := outside(host, outer, address, MAC(cfg.Addresses[0])); err != nil {
			return fmt.Errorf("route to the pod by link %s: %w", name, err)
		}
	}
	return nil
}

// inside gives the pod its address and a default route to the node.
func inside(pod *netlink.Handle, inner netlink.Link, address netip.Addr) error {
	index := inner.Attrs().Index
	gateway := Gateway(address)
	flags := 0
	if address.Is6() {
		// Nobody else can have this address: there is no reason to wait until it has been asked for.
		flags = unix.IFA_F_NODAD
	}
	if err := pod.AddrAdd(inner, &netlink.Addr{IPNet: single(address), Flags: flags}); err != nil {
		return fmt.Errorf("add %s: %w", address, err)
	}
	if err := pod.NeighSet(neighbour(index, gateway, hostMAC)); err != nil {
		return fmt.Errorf("set neighbour %s: %w", gateway, err)
	}
	if address.Is4() {
		if err := pod.RouteReplace(&netlink.Route{LinkIndex: index, Scope: netlink.SCOPE_LINK, Dst: single(gateway)}); err != nil {
			return fmt.Errorf("add a route to %s: %w", gateway, err)
		}
	}
	if err := pod.RouteReplace(&netlink.Route{LinkIndex: index, Gw: gateway.AsSlice(), Dst: everywhere(address)}); err != nil {
		return fmt.Errorf("add the default route: %w", err)
	}
	return nil
}

// outside gives the node a route to the pod.
func outside(host *netlink.Handle, outer netlink.Link, address netip.Addr, mac net.HardwareAddr) error {
	index := outer.Attrs().Index
	if err := host.NeighSet(neighbour(index, address, mac)); err != nil {
		return fmt.Errorf("set neighbour %s: %w", address, err)
	}
	if err := host.RouteReplace(&netlink.Route{LinkIndex: index, Scope: netlink.SCOPE_LINK, Dst: single(address)}); err != nil {
		return fmt.Errorf("add a route to %s: %w", address, err)
	}
	return nil
}

// Delete takes the link away; none is none to take away. The pod's end goes with the node's.
func Delete(container, iface string) error {
	name := HostName(container, iface)
	found, err := netlink.LinkByName(name)
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the link %s: %w", name, err)
	}
	if err := netlink.LinkDel(found); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("delete the link %s: %w", name, err)
	}
	return nil
}

// Check tells what is missing of a link.
func Check(cfg Config) error {
	name := HostName(cfg.Container, cfg.Interface)
	outer, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find the link %s: %w", name, err)
	}
	for _, address := range cfg.Addresses {
		routes, err := netlink.RouteListFiltered(familyOf(address), &netlink.Route{LinkIndex: outer.Attrs().Index, Dst: single(address)}, netlink.RT_FILTER_OIF|netlink.RT_FILTER_DST)
		if err != nil || len(routes) == 0 {
			return fmt.Errorf("there is no route to %s by link %s", address, name)
		}
	}
	return nil
}

// tune sets what the kernel keeps per interface. A node whose /proc/sys is read-only has to have set it for all interfaces.
func tune(name string, loopback bool) {
	set := func(key, value string) {
		_ = os.WriteFile("/proc/sys/net/ipv4/conf/"+name+"/"+key, []byte(value), 0o644)
	}
	// A pod that reaches itself through a Service comes back by the link that it went out by.
	set("send_redirects", "0")
	if loopback {
		set("route_localnet", "1")
	}
}

func neighbour(index int, ip netip.Addr, mac net.HardwareAddr) *netlink.Neigh {
	return &netlink.Neigh{LinkIndex: index, State: netlink.NUD_PERMANENT, IP: ip.AsSlice(), HardwareAddr: mac, Family: familyOf(ip)}
}

func familyOf(ip netip.Addr) int {
	if ip.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func single(ip netip.Addr) *net.IPNet {
	return &net.IPNet{IP: ip.AsSlice(), Mask: net.CIDRMask(ip.BitLen(), ip.BitLen())}
}

func everywhere(like netip.Addr) *net.IPNet {
	return &net.IPNet{IP: make(net.IP, like.BitLen()/8), Mask: net.CIDRMask(0, like.BitLen())}
}
