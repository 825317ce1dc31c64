package nftables

import (
	"net/netip"
	"os/exec"
	"runtime"
	"testing"

	"github.com/vishvananda/netns"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// inNamespace runs the rest of the test in a network namespace of its own; without the right to make one it is skipped.
func inNamespace(t testing.TB) {
	t.Helper()
	runtime.LockOSThread()
	// The thread ends with the test's goroutine, since it is never unlocked; so nothing else runs in the namespace.
	ns, err := netns.New()
	if err != nil {
		t.Skipf("no network namespace of my own: %v", err)
	}
	t.Cleanup(func() { _ = ns.Close() })
}

func front(address string, port uint16) ruleset.Frontend {
	return ruleset.Frontend{Address: netip.MustParseAddr(address), Protocol: ruleset.TCP, Port: port}
}

func sample(address string, pods ...string) ruleset.Fragment {
	f := front(address, 80)
	out := ruleset.Fragment{
		{Set: ruleset.ClusterIPs, Frontend: ruleset.Frontend{Address: f.Address}}: {},
		{Set: ruleset.Services, Frontend: f}:                                      {Pick: ruleset.Pick{Of: uint32(len(pods))}},
	}
	for i, pod := range pods {
		out[ruleset.Key{Set: ruleset.Endpoints, Frontend: f, Index: uint32(i)}] = ruleset.Value{Endpoint: netip.MustParseAddrPort(pod)}
	}
	return out
}

// everything has an element in every set.
func everything() ruleset.Fragment {
	f := front("10.96.0.9", 443)
	pod := netip.MustParseAddrPort("10.244.1.2:8443")
	sticky := ruleset.Pick{Of: 1, Sticky: 60}
	local := ruleset.Pick{Of: 1, Sticky: 60, Local: true}
	return ruleset.Fragment{
		{Set: ruleset.Services, Frontend: f}:                                      {Pick: sticky},
		{Set: ruleset.LocalServices, Frontend: f}:                                 {Pick: local},
		{Set: ruleset.Endpoints, Frontend: f}:                                     {Endpoint: pod},
		{Set: ruleset.LocalEndpoints, Frontend: f}:                                {Endpoint: pod},
		{Set: ruleset.Order, Frontend: f}:                                         {Member: 7},
		{Set: ruleset.LocalOrder, Frontend: f}:                                    {Member: 7},
		{Set: ruleset.Members, Frontend: f, Index: 7}:                             {Endpoint: pod},
		{Set: ruleset.LocalMembers, Frontend: f, Index: 7}:                        {Endpoint: pod},
		{Set: ruleset.ClusterIPs, Frontend: ruleset.Frontend{Address: f.Address}}: {},
		{Set: ruleset.External, Frontend: f}:                                      {},
		{Set: ruleset.ExternalLocal, Frontend: f}:                                 {},
		{Set: ruleset.NoEndpoints, Frontend: front("10.96.0.9", 1)}:               {Refusal: ruleset.Reject},
		{Set: ruleset.NoEndpoints, Frontend: front("10.96.0.9", 2)}:               {Refusal: ruleset.Drop},
		{Set: ruleset.Hairpin, Frontend: ruleset.Frontend{Address: pod.Addr()}}:   {},
		{Set: ruleset.ServiceRanges, Frontend: ruleset.Frontend{Address: netip.MustParseAddr("10.96.0.0")}, Range: netip.MustParsePrefix("10.96.0.0/16")}: {},
		{Set: ruleset.Firewalled, Frontend: f}:                                                  {},
		{Set: ruleset.Allowed, Frontend: f, Range: netip.MustParsePrefix("192.168.0.0/20")}:     {},
		{Set: ruleset.Allowed, Frontend: f, Range: netip.MustParsePrefix("192.168.255.255/32")}: {},
	}
}

func options() Options {
	return Options{ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("fd00::/48")}, MasqueradeBit: 14}
}

func apply(t testing.TB, table *Table, fragments map[string]ruleset.Fragment) {
	t.Helper()
	if refused, err := table.Apply(fragments); err != nil || len(refused) > 0 {
		t.Fatal(err, refused)
	}
}

// holds fails unless the kernel holds exactly what the table claims.
func holds(t *testing.T, table *Table) {
	t.Helper()
	kernel, err := table.read()
	if err != nil {
		t.Fatal(err)
	}
	table.claims.compare(kernel)
	gone, come := table.claims.delta(false)
	if len(gone)+len(come) > 0 {
		t.Errorf("the kernel has too much: %q and too little: %q", gone, come)
	}
}

func TestTheKernelHoldsWhatWasApplied(t *testing.T) {
	inNamespace(t)
	table := IPv4(options())
	steps := []struct {
		name      string
		fragments map[string]ruleset.Fragment
	}{
		{"nothing", nil},
		{"one of everything", map[string]ruleset.Fragment{"all": everything()}},
		{"two Services", map[string]ruleset.Fragment{"a": sample("10.96.0.1", "10.244.1.1:80"), "b": sample("10.96.0.2", "10.244.1.1:80", "10.244.1.2:80")}},
		{"an endpoint goes", map[string]ruleset.Fragment{"b": sample("10.96.0.2", "10.244.1.2:80")}},
		{"a second claim waits", map[string]ruleset.Fragment{"c": sample("10.96.0.1", "10.244.9.9:80")}},
		{"and follows", map[string]ruleset.Fragment{"a": nil}},
		{"everything goes", map[string]ruleset.Fragment{"all": nil, "b": nil, "c": nil}},
	}
	for _, step := range steps {
		t.Log(step.name)
		apply(t, table, step.fragments)
		holds(t, table)
	}
}

func TestANewProcessGoesOnFromTheKernelsTable(t *testing.T) {
	inNamespace(t)
	apply(t, IPv4(options()), map[string]ruleset.Fragment{"a": sample("10.96.0.1", "10.244.1.1:80"), "all": everything()})
	next := IPv4(options())
	intact, err := next.intact()
	if err != nil || !intact {
		t.Fatalf("the table of the same options is not taken over: %v", err)
	}
	apply(t, next, map[string]ruleset.Fragment{"a": sample("10.96.0.1", "10.244.1.2:80"), "all": everything()})
	holds(t, next)
	other := options()
	other.MasqueradeAll = true
	if intact, err := IPv4(other).intact(); err != nil || intact {
		t.Fatalf("a table with other rules is taken over: %v", err)
	}
}

func TestCheckRepairsRulesThatSomebodyFlushed(t *testing.T) {
	inNamespace(t)
	table := IPv4(options())
	apply(t, table, map[string]ruleset.Fragment{"all": everything()})
	conn, err := table.dial(0)
	if err != nil {
		t.Fatal(err)
	}
	conn.FlushTable(table.table)
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := table.Check(); err != nil {
		t.Fatal(err)
	}
	apply(t, table, nil)
	if intact, err := table.intact(); err != nil || !intact {
		t.Fatalf("still not intact: %v", err)
	}
	holds(t, table)
}

func TestIPv6(t *testing.T) {
	inNamespace(t)
	table := IPv6(options())
	f := ruleset.Frontend{Address: netip.MustParseAddr("fd01::1"), Protocol: ruleset.UDP, Port: 53}
	pod := netip.MustParseAddrPort("[fd00::5]:53")
	apply(t, table, map[string]ruleset.Fragment{"v6": {
		{Set: ruleset.Services, Frontend: f}:                                             {Pick: ruleset.Pick{Of: 1, Sticky: 30}},
		{Set: ruleset.Order, Frontend: f}:                                                {Member: 1},
		{Set: ruleset.Members, Frontend: f, Index: 1}:                                    {Endpoint: pod},
		{Set: ruleset.Allowed, Frontend: f, Range: netip.MustParsePrefix("fd00:1::/33")}: {},
	}})
	holds(t, table)
}

// Stock's kube-proxy and people list tables with nft: it must be able to print ours.
func TestNftCanPrintTheTable(t *testing.T) {
	nft, err := exec.LookPath("nft")
	if err != nil {
		t.Skip("there is no nft program")
	}
	inNamespace(t)
	for _, table := range []*Table{IPv4(options()), IPv6(options())} {
		apply(t, table, map[string]ruleset.Fragment{"all": everything()})
	}
	out, err := exec.Command(nft, "list", "ruleset").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
