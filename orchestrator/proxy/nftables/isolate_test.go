package nftables

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// poison is a Service that the kernel refuses: it picks one of no endpoints.
func poison(address string) ruleset.Fragment {
	return ruleset.Fragment{{Set: ruleset.Services, Frontend: front(address, 80)}: {}}
}

// refuses fails unless exactly these owners are refused.
func refuses(t *testing.T, table *Table, fragments map[string]ruleset.Fragment, owners ...string) {
	t.Helper()
	refused, err := table.Apply(fragments)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(refused)); !slices.Equal(got, owners) {
		t.Fatalf("refused are %q, not %q", got, owners)
	}
}

func TestARefusedServiceLeavesTheOthersProgrammed(t *testing.T) {
	inNamespace(t)
	table := IPv4(options())
	all := many(50)
	all["bad"], all["worse"] = poison("10.97.0.1"), poison("10.97.0.2")
	refuses(t, table, all, "bad", "worse")
	holds(t, table)
	if got := len(table.claims.owned); got != 50 {
		t.Errorf("%d Services are programmed", got)
	}
	refuses(t, table, map[string]ruleset.Fragment{"0": sample("10.96.0.1", "10.244.7.7:80"), "bad": poison("10.97.0.1")}, "bad")
	holds(t, table)
	apply(t, table, map[string]ruleset.Fragment{"bad": sample("10.97.0.1", "10.244.7.7:80")})
	holds(t, table)
	if got := len(table.claims.owned); got != 51 {
		t.Errorf("%d Services are programmed once one is mended", got)
	}
}

func TestAServiceWhoseChangeIsRefusedKeepsWhatItHad(t *testing.T) {
	inNamespace(t)
	table := IPv4(options())
	before := sample("10.96.0.1", "10.244.1.1:80")
	apply(t, table, map[string]ruleset.Fragment{"a": before, "b": sample("10.96.0.2", "10.244.1.1:80")})
	refuses(t, table, map[string]ruleset.Fragment{"a": poison("10.96.0.1"), "b": nil, "c": sample("10.96.0.3", "10.244.1.1:80")}, "a")
	holds(t, table)
	if got := table.claims.wants("a"); !maps.Equal(got, encodeFragment(ipv4, before)) {
		t.Errorf("it has %q", got)
	}
}

func TestARestartAmidARefusalRemovesWhatNobodyClaims(t *testing.T) {
	inNamespace(t)
	apply(t, IPv4(options()), map[string]ruleset.Fragment{"a": sample("10.96.0.1", "10.244.1.1:80"), "gone": everything()})
	next := IPv4(options())
	refuses(t, next, map[string]ruleset.Fragment{"a": sample("10.96.0.1", "10.244.1.1:80"), "bad": poison("10.97.0.1")}, "bad")
	holds(t, next)
}

func TestWhatIsRefusedAfterItWasAcceptedIsFoundToo(t *testing.T) {
	inNamespace(t)
	table := IPv4(options())
	apply(t, table, map[string]ruleset.Fragment{"a": sample("10.96.0.1", "10.244.1.1:80")})
	table.claims.set("bad", encodeFragment(ipv4, poison("10.97.0.1")))
	table.synced = false
	refuses(t, table, nil, "bad")
	holds(t, table)
	if len(table.claims.wants("a")) == 0 {
		t.Error("what the kernel takes is gone")
	}
}

func BenchmarkFindOneRefusedAmong10000Services(b *testing.B) {
	inNamespace(b)
	for b.Loop() {
		all := many(10000)
		all["bad"] = poison("10.200.0.1")
		if refused, err := IPv4(options()).Apply(all); err != nil || len(refused) != 1 {
			b.Fatal(fmt.Sprint(refused, err))
		}
	}
}
