package nftables

import (
	"net/netip"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// sources is a frontend that only these ranges may reach.
func sources(address string, ranges ...string) ruleset.Fragment {
	f := front(address, 80)
	out := ruleset.Fragment{{Set: ruleset.Firewalled, Frontend: f}: {}}
	for _, r := range ranges {
		out[ruleset.Key{Set: ruleset.Allowed, Frontend: f, Range: netip.MustParsePrefix(r)}] = ruleset.Value{}
	}
	return out
}

func within(ranges ...string) ruleset.Fragment {
	out := ruleset.Fragment{}
	for _, r := range ranges {
		p := netip.MustParsePrefix(r)
		out[ruleset.Key{Set: ruleset.ServiceRanges, Frontend: ruleset.Frontend{Address: p.Addr()}, Range: p}] = ruleset.Value{}
	}
	return out
}

// The kernel refuses an element that overlaps another one of its set.
func TestRangesMayLieWithinEachOther(t *testing.T) {
	inNamespace(t)
	table := IPv4(options())
	steps := []struct {
		name      string
		fragments map[string]ruleset.Fragment
	}{
		{"one range", map[string]ruleset.Fragment{"a": sources("192.0.2.1", "10.0.0.0/8")}},
		{"one within it", map[string]ruleset.Fragment{"a": sources("192.0.2.1", "10.0.0.0/8", "10.1.0.0/16")}},
		{"only the inner one", map[string]ruleset.Fragment{"a": sources("192.0.2.1", "10.1.0.0/16")}},
		{"a wider one again, and an address of another", map[string]ruleset.Fragment{"a": sources("192.0.2.1", "10.0.0.0/8", "172.16.0.1/32")}},
		{"everywhere, and the address itself", map[string]ruleset.Fragment{"a": sources("192.0.2.1", "0.0.0.0/0", "192.0.2.1/32")}},
		{"another Service claims the address", map[string]ruleset.Fragment{"b": sources("192.0.2.1", "10.0.0.0/8", "192.168.0.0/16")}},
		{"and gets it", map[string]ruleset.Fragment{"a": nil}},
		{"ServiceCIDRs", map[string]ruleset.Fragment{"ranges": within("10.96.0.0/16", "10.96.0.0/20", "10.97.0.0/24")}},
		{"an inner one", map[string]ruleset.Fragment{"ranges": within("10.96.0.0/20", "10.97.0.0/16", "10.97.1.0/24")}},
		{"none", map[string]ruleset.Fragment{"ranges": nil, "b": nil}},
	}
	for _, step := range steps {
		t.Log(step.name)
		apply(t, table, step.fragments)
		holds(t, table)
	}
}
