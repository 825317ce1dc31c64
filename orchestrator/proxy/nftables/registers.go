package nftables

import (
	nft "github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// family says how addresses look in one IP family, and where the registers of a rule lie.
//
// The layout makes every concatenated key a run of neighbours: source, destination, protocol, port, then the endpoint's index. So
// source..port is the key of affinity, destination..port that of a frontend, destination..index that of an endpoint. The kernel has 16
// registers of 4 bytes: an IPv6 endpoint behind all of them just fits.
type family struct {
	nft   nft.TableFamily
	proto uint32
	// words is the length of an address in registers.
	words uint32
	// source and destination are offsets in the IP header.
	source, destination uint32
	address             nft.SetDatatype
	// unreachable is the ICMP answer "port unreachable".
	unreachable expr.Reject
}

var (
	ipv4 = family{
		nft: nft.TableFamilyIPv4, proto: unix.NFPROTO_IPV4, words: 1, source: 12, destination: 16, address: nft.TypeIPAddr,
		unreachable: expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: 3},
	}
	ipv6 = family{
		nft: nft.TableFamilyIPv6, proto: unix.NFPROTO_IPV6, words: 4, source: 8, destination: 24, address: nft.TypeIP6Addr,
		unreachable: expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: 4},
	}
)

func reg(word uint32) uint32 { return unix.NFT_REG32_00 + word }

func (f family) sourceReg() uint32      { return reg(0) }
func (f family) destinationReg() uint32 { return reg(f.words) }
func (f family) protocolReg() uint32    { return reg(2 * f.words) }
func (f family) portReg() uint32        { return reg(2*f.words + 1) }

// indexReg holds the number of an endpoint, or the member that affinity remembers.
func (f family) indexReg() uint32 { return reg(2*f.words + 2) }

// pickedReg holds the endpoint that the index leads to.
func (f family) pickedReg() uint32 { return reg(2*f.words + 3) }

func (f family) loadSource() expr.Any {
	return &expr.Payload{DestRegister: f.sourceReg(), Base: expr.PayloadBaseNetworkHeader, Offset: f.source, Len: 4 * f.words}
}

func (f family) loadDestination() expr.Any {
	return &expr.Payload{DestRegister: f.destinationReg(), Base: expr.PayloadBaseNetworkHeader, Offset: f.destination, Len: 4 * f.words}
}

// loadFrontend loads the destination, the protocol and the destination port.
func (f family) loadFrontend() []expr.Any {
	return []expr.Any{
		f.loadDestination(),
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: f.protocolReg()},
		&expr.Payload{DestRegister: f.portReg(), Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
	}
}

// translate sends the packet to the endpoint that was picked.
func (f family) translate() expr.Any {
	address, port := f.pickedReg(), f.pickedReg()+f.words
	return &expr.NAT{
		Type: expr.NATTypeDestNAT, Family: f.proto, RegAddrMin: address, RegAddrMax: address, RegProtoMin: port, RegProtoMax: port, Specified: true,
	}
}

func in(set string, register uint32) expr.Any {
	return &expr.Lookup{SourceRegister: register, SetName: set}
}

func lookup(set string, from, to uint32) expr.Any {
	return &expr.Lookup{SourceRegister: from, DestRegister: to, IsDestRegSet: true, SetName: set}
}

// decide goes where the verdict map says.
func decide(set string, from uint32) expr.Any { return lookup(set, from, unix.NFT_REG_VERDICT) }

func jump(chain string) expr.Any { return &expr.Verdict{Kind: expr.VerdictJump, Chain: chain} }
func goTo(chain string) expr.Any { return &expr.Verdict{Kind: expr.VerdictGoto, Chain: chain} }

// newConnection matches the first packet of a connection, with the register of the source as scratch.
func newConnection() []expr.Any { return ctBits(expr.CtKeySTATE, expr.CtStateBitNEW) }

// translated matches packets of connections whose destination was translated.
func translated() []expr.Any { return ctBits(expr.CtKeySTATUS, 1<<5) }

func ctBits(key expr.CtKey, bits uint32) []expr.Any {
	return append([]expr.Any{&expr.Ct{Key: key, Register: reg(0)}}, anyOf(bits)...)
}

// anyOf matches when register 0 has one of bits.
func anyOf(bits uint32) []expr.Any {
	return []expr.Any{
		&expr.Bitwise{SourceRegister: reg(0), DestRegister: reg(0), Len: 4, Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: reg(0), Data: make([]byte, 4)},
	}
}

func all(parts ...any) []expr.Any {
	var out []expr.Any
	for _, p := range parts {
		switch p := p.(type) {
		case []expr.Any:
			out = append(out, p...)
		case expr.Any:
			out = append(out, p)
		}
	}
	return out
}
