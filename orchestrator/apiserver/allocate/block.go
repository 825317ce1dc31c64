package allocate

import (
	"encoding/binary"
	"net/netip"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// block is a range of addresses of Services.
type block struct{ netip.Prefix }

// usable excludes the network's own address, and the broadcast address of IPv4.
func (b block) usable(ip netip.Addr) bool {
	return b.Contains(ip) && ip != b.Addr() && (ip.Is6() || ip != b.nth(b.size()+1))
}

// size counts the usable addresses; more than 2^16 are never needed of an IPv6 range.
func (b block) size() uint64 {
	bits := b.Addr().BitLen() - b.Bits()
	if b.Addr().Is6() {
		return 1<<min(bits, 16) - 1
	}
	return max(uint64(1)<<bits, 2) - 2
}

// nth address of the range; 0 is the network's own.
func (b block) nth(n uint64) netip.Addr {
	raw := b.Addr().As16()
	low := binary.BigEndian.Uint64(raw[8:])
	binary.BigEndian.PutUint64(raw[8:], low+n)
	ip := netip.AddrFrom16(raw)
	if b.Addr().Is4() {
		return ip.Unmap()
	}
	return ip
}

// reserved is the lower part of a range, kept for addresses that people choose: min(max(16, size/16), 256) (KEP-3070).
func reserved(size uint64) uint64 {
	if size < 16 {
		return 0
	}
	return min(max(16, size/16), 256, size-1)
}

// usableBlocks are the ranges from which addresses are given (KEP-1880): those of the ServiceCIDRs that are ready and stay, in order of address.
// The configured one counts from a cluster's start, before a controller has looked at it, unless its ServiceCIDR goes.
func usableBlocks(cidrs []*networkingv1.ServiceCIDR, configured block) []block {
	going, found := false, []block{}
	for _, c := range cidrs {
		for _, text := range c.Spec.CIDRs {
			prefix, err := netip.ParsePrefix(text)
			switch {
			case err != nil || prefix.Addr().Is4() != configured.Addr().Is4():
			case prefix.Masked() == configured.Prefix:
				going = going || c.DeletionTimestamp != nil
			case c.DeletionTimestamp == nil && ready(c):
				found = append(found, block{prefix.Masked()})
			}
		}
	}
	if !going {
		found = append(found, configured)
	}
	slices.SortFunc(found, func(a, b block) int { return a.Prefix.Compare(b.Prefix) })
	return slices.Compact(found)
}

func ready(c *networkingv1.ServiceCIDR) bool {
	return slices.ContainsFunc(c.Status.Conditions, func(c metav1.Condition) bool {
		return c.Type == networkingv1.ServiceCIDRConditionReady && c.Status == metav1.ConditionTrue
	})
}
