package nftables

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// many are n Services of two pods each.
func many(n int) map[string]ruleset.Fragment {
	out := make(map[string]ruleset.Fragment, n)
	for i := range n {
		out[strconv.Itoa(i)] = sample(fmt.Sprintf("10.96.%d.%d", i/250, i%250+1), fmt.Sprintf("10.244.%d.%d:80", i/250, i%250+1), "10.244.200.1:80")
	}
	return out
}

func BenchmarkProgram10000Services(b *testing.B) {
	inNamespace(b)
	all := many(10000)
	for b.Loop() {
		apply(b, IPv4(options()), nil)
		b.StopTimer()
		table := IPv4(options())
		b.StartTimer()
		apply(b, table, all)
		b.StopTimer()
		none := make(map[string]ruleset.Fragment, len(all))
		for owner := range all {
			none[owner] = nil
		}
		apply(b, table, none)
		b.StartTimer()
	}
}

func BenchmarkAddOneTo10000Services(b *testing.B) {
	inNamespace(b)
	table := IPv4(options())
	apply(b, table, many(10000))
	one := map[string]ruleset.Fragment{"one": sample("10.97.0.1", "10.244.1.1:80", "10.244.1.2:80")}
	for b.Loop() {
		apply(b, table, one)
		b.StopTimer()
		apply(b, table, map[string]ruleset.Fragment{"one": nil})
		b.StartTimer()
	}
}
