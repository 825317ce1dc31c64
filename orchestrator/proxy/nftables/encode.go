package nftables

import (
	"encoding/binary"
	"net/netip"

	nft "github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// slot is an element's place: its set and the bytes of its key, and for a range those of its end.
type slot struct {
	set ruleset.Set
	key string
	end string
}

// content is what stands there: bytes in a map, a chain's name in a verdict map, and nothing in a set.
type content string

// dropped is the content of a verdict map's element that drops; no chain has this name.
const dropped content = "\x00drop"

// encode writes an element as the kernel holds it. Each part of a key fills whole registers of 4 bytes, as the rules load them.
func encode(k ruleset.Key, v ruleset.Value) (slot, content) {
	s := slot{set: k.Set}
	switch k.Set {
	case ruleset.ClusterIPs:
		s.key = string(k.Address.AsSlice())
	case ruleset.Hairpin:
		s.key = string(k.Address.AsSlice()) + string(k.Address.AsSlice())
	case ruleset.Allowed:
		first, last := bounds(k.Range)
		s.key, s.end = frontend(k.Frontend)+first, frontend(k.Frontend)+last
	case ruleset.ServiceRanges:
		// The kernel's sets of ranges want two fields at least: the other one is the protocol, whichever it is.
		first, last := bounds(k.Range)
		s.key, s.end = first+"\x00\x00\x00\x00", last+"\xff\x00\x00\x00"
	case ruleset.Endpoints, ruleset.LocalEndpoints, ruleset.Members, ruleset.LocalMembers:
		s.key = frontend(k.Frontend) + number(k.Index)
		return s, content(endpoint(v.Endpoint))
	case ruleset.Order, ruleset.LocalOrder:
		s.key = frontend(k.Frontend) + number(k.Index)
		return s, content(number(v.Member))
	case ruleset.Services, ruleset.LocalServices:
		s.key = frontend(k.Frontend)
		return s, content(chainName(v.Pick))
	case ruleset.NoEndpoints:
		s.key = frontend(k.Frontend)
		if v.Refusal == ruleset.Reject {
			return s, "reject-chain"
		}
		return s, dropped
	default:
		s.key = frontend(k.Frontend)
	}
	return s, ""
}

func frontend(f ruleset.Frontend) string {
	b := append(f.Address.AsSlice(), byte(f.Protocol), 0, 0, 0)
	return string(append(binary.BigEndian.AppendUint16(b, f.Port), 0, 0))
}

func endpoint(e netip.AddrPort) string {
	return string(append(binary.BigEndian.AppendUint16(e.Addr().AsSlice(), e.Port()), 0, 0))
}

func number(n uint32) string { return string(binary.NativeEndian.AppendUint32(nil, n)) }

// bounds are the first and the last address of a range.
func bounds(p netip.Prefix) (first, last string) {
	b := p.Masked().Addr().AsSlice()
	first = string(b)
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return first, string(b)
}

// element is what a slot and its content are on the wire.
func element(s slot, c content) nft.SetElement {
	e := nft.SetElement{Key: []byte(s.key), KeyEnd: []byte(s.end)}
	switch {
	case c == dropped:
		e.VerdictData = &expr.Verdict{Kind: expr.VerdictDrop}
	case isVerdict(s.set):
		e.VerdictData = &expr.Verdict{Kind: expr.VerdictGoto, Chain: string(c)}
	default:
		e.Val = []byte(c)
	}
	return e
}

func isVerdict(set ruleset.Set) bool {
	return set == ruleset.Services || set == ruleset.LocalServices || set == ruleset.NoEndpoints
}

// decode reads an element that the kernel sent.
func decode(set ruleset.Set, e nft.SetElement) (slot, content) {
	s := slot{set: set, key: string(e.Key), end: string(e.KeyEnd)}
	if !isVerdict(set) {
		return s, content(e.Val)
	}
	return s, verdict(e.Val)
}

// verdict reads the nested attributes of a verdict; what is neither a goto nor a drop reads as nothing and so is replaced.
func verdict(b []byte) content {
	attrs, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return ""
	}
	attrs.ByteOrder = binary.BigEndian
	kind, chain := int32(0), ""
	for attrs.Next() {
		switch attrs.Type() {
		case unix.NFTA_VERDICT_CODE:
			kind = int32(attrs.Uint32())
		case unix.NFTA_VERDICT_CHAIN:
			chain = attrs.String()
		}
	}
	switch kind {
	case int32(expr.VerdictDrop):
		return dropped
	case int32(expr.VerdictGoto):
		return content(chain)
	}
	return ""
}
