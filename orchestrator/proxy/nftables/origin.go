package nftables

import (
	"net/netip"
	"time"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
)

// bit is the packet mark that asks for masquerading.
func (o Options) bit() uint32 { return 1 << (o.MasqueradeBit & 31) }

func (o Options) mark() []expr.Any {
	return o.changeMark(^o.bit(), o.bit())
}

func (o Options) unmark() []expr.Any {
	return o.changeMark(^o.bit(), 0)
}

func (o Options) changeMark(mask, xor uint32) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyMARK, Register: reg(0)},
		&expr.Bitwise{SourceRegister: reg(0), DestRegister: reg(0), Len: 4, Mask: binaryutil.NativeEndian.PutUint32(mask), Xor: binaryutil.NativeEndian.PutUint32(xor)},
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: reg(0)},
	}
}

// knowsPods tells whether a packet shows that it comes from a pod.
func (f family) knowsPods(o Options) bool { return len(f.fromPod(o)) > 0 }

// fromPod are the matches of a packet that comes from a pod: one of them suffices.
func (f family) fromPod(o Options) [][]expr.Any {
	var out [][]expr.Any
	for _, cidr := range o.ClusterCIDRs {
		if cidr.Addr().Is4() == (f.words == 1) {
			out = append(out, f.sourceIn(cidr, expr.CmpOpEq))
		}
	}
	for _, prefix := range o.PodInterfaces {
		out = append(out, arrivedBy(prefix, expr.CmpOpEq))
	}
	return out
}

// notFromPod matches packets that do not come from a pod; all, with MasqueradeAll.
func (f family) notFromPod(o Options) []expr.Any {
	var out []expr.Any
	if o.MasqueradeAll {
		return out
	}
	for _, cidr := range o.ClusterCIDRs {
		if cidr.Addr().Is4() == (f.words == 1) {
			out = append(out, f.sourceIn(cidr, expr.CmpOpNeq)...)
		}
	}
	for _, prefix := range o.PodInterfaces {
		out = append(out, arrivedBy(prefix, expr.CmpOpNeq)...)
	}
	return out
}

func (f family) sourceIn(cidr netip.Prefix, op expr.CmpOp) []expr.Any {
	length := 4 * f.words
	mask := make([]byte, length)
	for i := range cidr.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return []expr.Any{
		f.loadSource(),
		&expr.Bitwise{SourceRegister: f.sourceReg(), DestRegister: f.sourceReg(), Len: length, Mask: mask, Xor: make([]byte, length)},
		&expr.Cmp{Op: op, Register: f.sourceReg(), Data: cidr.Masked().Addr().AsSlice()},
	}
}

// arrivedBy compares the first bytes of the name of the interface that a packet came in by.
func arrivedBy(prefix string, op expr.CmpOp) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: reg(0)},
		&expr.Cmp{Op: op, Register: reg(0), Data: []byte(prefix)},
	}
}

func duration(seconds uint32) time.Duration { return time.Duration(seconds) * time.Second }
