package nftables

import (
	"net/netip"
	"slices"
	"strings"

	nft "github.com/google/nftables"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// The kernel refuses a range that overlaps another one of its set, while the API lets ranges lie within each other. So all ranges that have
// one owner and one frontend are the content of one slot: spans, which are pairs of the first and the last address, ordered and disjoint.

func isRanged(set ruleset.Set) bool { return set == ruleset.Allowed || set == ruleset.ServiceRanges }

// spanOf is a range as content.
func spanOf(p netip.Prefix) content {
	first := p.Masked().Addr().AsSlice()
	last := slices.Clone(first)
	for i := p.Bits(); i < 8*len(last); i++ {
		last[i/8] |= 0x80 >> (i % 8)
	}
	return content(first) + content(last)
}

// spans splits content.
func (f family) spans(c content) []string {
	width := int(8 * f.words)
	out := make([]string, 0, len(c)/width)
	for ; len(c) >= width; c = c[width:] {
		out = append(out, string(c[:width]))
	}
	return out
}

// join is all that a or b cover, in spans that do not overlap.
func (f family) join(a, b content) content {
	list := f.spans(a + b)
	slices.Sort(list)
	half := int(4 * f.words)
	var out []string
	for _, next := range list {
		if len(out) == 0 || next[:half] > out[len(out)-1][half:] {
			out = append(out, next)
			continue
		}
		last := &out[len(out)-1]
		*last = (*last)[:half] + max((*last)[half:], next[half:])
	}
	return content(strings.Join(out, ""))
}

// without are the spans of a that b does not have too.
func (f family) without(a, b content) content {
	common := f.spans(b)
	return content(strings.Join(slices.DeleteFunc(f.spans(a), func(span string) bool { return slices.Contains(common, span) }), ""))
}

// spareRanges takes from a difference the spans that stand before and after.
func (f family) spareRanges(gone, come map[slot]content) {
	for s, before := range gone {
		after, both := come[s]
		if both && isRanged(s.set) {
			gone[s], come[s] = f.without(before, after), f.without(after, before)
		}
	}
}

// protocols are the ends of the second field that the kernel's sets of ranges want where there is none: any protocol.
const firstProtocol, lastProtocol = "\x00\x00\x00\x00", "\xff\x00\x00\x00"

func (f family) rangeElements(s slot, c content) []nft.SetElement {
	half := 4 * f.words
	var out []nft.SetElement
	for _, span := range f.spans(c) {
		first, last := s.key+span[:half], s.key+span[half:]
		if s.set == ruleset.ServiceRanges {
			first, last = first+firstProtocol, last+lastProtocol
		}
		out = append(out, nft.SetElement{Key: []byte(first), KeyEnd: []byte(last)})
	}
	return out
}

// decodeRange reads one span.
func (f family) decodeRange(set ruleset.Set, e nft.SetElement) (slot, content) {
	half, key, end := int(4*f.words), string(e.Key), string(e.KeyEnd)
	if set == ruleset.ServiceRanges {
		return slot{set: set}, content(key[:half] + end[:half])
	}
	common := len(key) - half
	return slot{set, key[:common]}, content(key[common:] + end[common:])
}
