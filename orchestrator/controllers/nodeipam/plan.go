package nodeipam

import (
	"fmt"
	"math/big"
	"net/netip"
	"strings"
)

// pool of equal blocks of one range.
type pool struct {
	base  netip.Prefix
	bits  int
	taken map[netip.Prefix]bool
	next  uint64
	size  uint64
}

// newPools reads --cluster-cidr: one range per family. Ranges of Services within them are never given.
func newPools(cluster, services string, mask4, mask6 int) ([]*pool, error) {
	var out []*pool
	for _, text := range strings.Split(cluster, ",") {
		base, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("--cluster-cidr=%s: %w", cluster, err)
		}
		bits := mask4
		if base.Addr().Is6() {
			bits = mask6
		}
		if bits < base.Bits() || bits-base.Bits() > 16 {
			return nil, fmt.Errorf("--cluster-cidr=%s: cannot be cut into blocks of /%d", text, bits)
		}
		p := &pool{base: base.Masked(), bits: bits, taken: map[netip.Prefix]bool{}, size: 1 << (bits - base.Bits())}
		for _, text := range strings.Split(services, ",") {
			if service, err := netip.ParsePrefix(strings.TrimSpace(text)); err == nil && service.Overlaps(base) {
				p.occupy(service)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// occupy every block that a prefix touches.
func (p *pool) occupy(prefix netip.Prefix) {
	if !prefix.Overlaps(p.base) {
		return
	}
	if prefix.Bits() >= p.bits {
		if block, err := prefix.Addr().Prefix(p.bits); err == nil {
			p.taken[block] = true
		}
		return
	}
	for i := range p.size {
		if block := p.block(i); block.Overlaps(prefix) {
			p.taken[block] = true
		}
	}
}

func (p *pool) free(prefix netip.Prefix) { delete(p.taken, prefix.Masked()) }

// take the next free block, going round so that a block just freed is used last.
func (p *pool) take() (netip.Prefix, bool) {
	for range p.size {
		block := p.block(p.next)
		p.next = (p.next + 1) % p.size
		if !p.taken[block] {
			p.taken[block] = true
			return block, true
		}
	}
	return netip.Prefix{}, false
}

func (p *pool) block(i uint64) netip.Prefix {
	length := p.base.Addr().BitLen()
	n := new(big.Int).SetBytes(p.base.Addr().AsSlice())
	n.Add(n, new(big.Int).Lsh(new(big.Int).SetUint64(i), uint(length-p.bits)))
	addr, _ := netip.AddrFromSlice(n.FillBytes(make([]byte, length/8)))
	return netip.PrefixFrom(addr, p.bits)
}
