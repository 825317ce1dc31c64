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

// slot is a place of which one Service is the owner: a set and the bytes of a key, or of what the keys of its ranges have in common.
type slot struct {
	set ruleset.Set
	key string
}

// content is what stands there: bytes in a map, a chain's name in a verdict map, spans in a set of ranges, and nothing in any other set.
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
		s.key = frontend(k.Frontend)
		return s, spanOf(k.Range)
	case ruleset.ServiceRanges:
		return s, spanOf(k.Range)
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

// encodeFragment encodes the elements of one IP family.
func encodeFragment(f family, fragment ruleset.Fragment) map[slot]content {
	out := make(map[slot]content, len(fragment))
	for k, v := range fragment {
		if k.Address.Is4() != (f.words == 1) {
			continue
		}
		s, c := encode(k, v)
		if isRanged(s.set) {
			c = f.join(out[s], c)
		}
		out[s] = c
	}
	return out
}

func frontend(f ruleset.Frontend) string {
	b := append(f.Address.AsSlice(), byte(f.Protocol), 0, 0, 0)
	return string(append(binary.BigEndian.AppendUint16(b, f.Port), 0, 0))
}

func endpoint(e netip.AddrPort) string {
	return string(append(binary.BigEndian.AppendUint16(e.Addr().AsSlice(), e.Port()), 0, 0))
}

func number(n uint32) string { return string(binary.NativeEndian.AppendUint32(nil, n)) }

// elements are what a slot and its content are on the wire.
func (f family) elements(s slot, c content) []nft.SetElement {
	switch {
	case isRanged(s.set):
		return f.rangeElements(s, c)
	case c == dropped:
		return []nft.SetElement{{Key: []byte(s.key), VerdictData: &expr.Verdict{Kind: expr.VerdictDrop}}}
	case isVerdict(s.set):
		return []nft.SetElement{{Key: []byte(s.key), VerdictData: &expr.Verdict{Kind: expr.VerdictGoto, Chain: string(c)}}}
	default:
		return []nft.SetElement{{Key: []byte(s.key), Val: []byte(c)}}
	}
}

func isVerdict(set ruleset.Set) bool {
	return set == ruleset.Services || set == ruleset.LocalServices || set == ruleset.NoEndpoints
}

// decode reads an element that the kernel sent.
func (f family) decode(set ruleset.Set, e nft.SetElement) (slot, content) {
	switch {
	case isRanged(set):
		return f.decodeRange(set, e)
	case isVerdict(set):
		return slot{set, string(e.Key)}, verdict(e.Val)
	default:
		return slot{set, string(e.Key)}, content(e.Val)
	}
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
