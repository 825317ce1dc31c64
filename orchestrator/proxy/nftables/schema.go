package nftables

import (
	"fmt"
	"hash/fnv"
	"net/netip"

	nft "github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// Options of the rules that are the same for all Services.
type Options struct {
	// ClusterCIDRs hold the pods. Clients of a ClusterIP from elsewhere are masqueraded.
	ClusterCIDRs []netip.Prefix
	// PodInterfaces are name prefixes of interfaces behind which pods are, instead of ClusterCIDRs.
	PodInterfaces []string
	// MasqueradeAll masquerades every client of a ClusterIP.
	MasqueradeAll bool
	// MasqueradeBit of the packet mark says that a packet is to be masqueraded.
	MasqueradeBit uint8
	// NetNS is the file descriptor of the network namespace to work in; 0: the process's own.
	NetNS int
}

// The names of table and base chains are those of stock's kube-proxy: its first sync flushes these chains, and ours deletes its table, so that
// either takes over from the other without both translating.
const (
	tableName = "kube-proxy"
	// stockMap stands in the table when stock's kube-proxy has worked on it.
	stockMap = "service-ips"
	// schemaVersion changes whenever a rule or a set does.
	schemaVersion = "4"

	stickySet = "sticky-clients"
	// stickyLimit bounds the memory that clients can make affinity take: about 200 bytes each.
	stickyLimit = 1 << 20
)

var setNames = [ruleset.Sets]string{
	ruleset.Services:       "frontends",
	ruleset.LocalServices:  "local-frontends",
	ruleset.Endpoints:      "endpoints",
	ruleset.LocalEndpoints: "local-endpoints",
	ruleset.Order:          "order",
	ruleset.LocalOrder:     "local-order",
	ruleset.Members:        "members",
	ruleset.LocalMembers:   "local-members",
	ruleset.ClusterIPs:     "cluster-addresses",
	ruleset.External:       "external",
	ruleset.ExternalLocal:  "external-local",
	ruleset.NoEndpoints:    "no-endpoints",
	ruleset.Hairpin:        "hairpin",
	ruleset.Firewalled:     "firewalled",
	ruleset.Allowed:        "allowed",
	ruleset.ServiceRanges:  "service-ranges",
}

// chain is a chain of the table and its rules.
type chain struct {
	name     string
	kind     nft.ChainType
	hook     *nft.ChainHook
	priority nft.ChainPriority
	rules    [][]expr.Any
}

func (f family) sets(table *nft.Table) []*nft.Set {
	front := []nft.SetDatatype{f.address, nft.TypeInetProto, nft.TypeInetService}
	endpoint := []nft.SetDatatype{f.address, nft.TypeInetService}
	// Numbers of endpoints are marks for nft's sake, which can print no bare integer.
	indexed := append(front[:len(front):len(front)], nft.TypeMark)
	client := append([]nft.SetDatatype{f.address}, front...)
	set := func(name string, key ...nft.SetDatatype) *nft.Set {
		return &nft.Set{Table: table, Name: name, KeyType: nft.MustConcatSetType(key...)}
	}
	to := func(s *nft.Set, data ...nft.SetDatatype) *nft.Set {
		s.IsMap, s.DataType = true, nft.MustConcatSetType(data...)
		return s
	}
	verdict := func(s *nft.Set) *nft.Set {
		s.IsMap, s.DataType = true, nft.TypeVerdict
		return s
	}
	allowed := set(setNames[ruleset.Allowed], append(front[:len(front):len(front)], f.address)...)
	allowed.Interval, allowed.Concatenation = true, true
	ranges := set(setNames[ruleset.ServiceRanges], f.address, nft.TypeInetProto)
	ranges.Interval, ranges.Concatenation = true, true
	sticky := to(set(stickySet, client...), nft.TypeMark)
	sticky.Dynamic, sticky.HasTimeout, sticky.Size = true, true, stickyLimit
	return []*nft.Set{
		ruleset.Services:       verdict(set(setNames[ruleset.Services], front...)),
		ruleset.LocalServices:  verdict(set(setNames[ruleset.LocalServices], front...)),
		ruleset.Endpoints:      to(set(setNames[ruleset.Endpoints], indexed...), endpoint...),
		ruleset.LocalEndpoints: to(set(setNames[ruleset.LocalEndpoints], indexed...), endpoint...),
		ruleset.Order:          to(set(setNames[ruleset.Order], indexed...), nft.TypeMark),
		ruleset.LocalOrder:     to(set(setNames[ruleset.LocalOrder], indexed...), nft.TypeMark),
		ruleset.Members:        to(set(setNames[ruleset.Members], indexed...), endpoint...),
		ruleset.LocalMembers:   to(set(setNames[ruleset.LocalMembers], indexed...), endpoint...),
		ruleset.ClusterIPs:     set(setNames[ruleset.ClusterIPs], f.address),
		ruleset.External:       set(setNames[ruleset.External], front...),
		ruleset.ExternalLocal:  set(setNames[ruleset.ExternalLocal], front...),
		ruleset.NoEndpoints:    verdict(set(setNames[ruleset.NoEndpoints], front...)),
		ruleset.Hairpin:        set(setNames[ruleset.Hairpin], f.address, f.address),
		ruleset.Firewalled:     set(setNames[ruleset.Firewalled], front...),
		ruleset.Allowed:        allowed,
		ruleset.ServiceRanges:  ranges,
		ruleset.Sets:           sticky,
	}
}

// chains are the table's chains; a chain stands before those that lead to it.
func (f family) chains(o Options) []chain {
	check := func(to string) []expr.Any { return all(newConnection(), jump(to)) }
	base := func(name string, kind nft.ChainType, hook *nft.ChainHook, priority nft.ChainPriority, rules ...[]expr.Any) chain {
		return chain{name, kind, hook, priority, rules}
	}
	list := append(f.filters(), f.routing(o)...)
	return append(list,
		base("filter-prerouting-pre-dnat", nft.ChainTypeFilter, nft.ChainHookPrerouting, -110, check("firewall-check")),
		base("filter-output-pre-dnat", nft.ChainTypeFilter, nft.ChainHookOutput, -110, check("firewall-check")),
		base("filter-input", nft.ChainTypeFilter, nft.ChainHookInput, 0, check("endpoints-check")),
		base("filter-forward", nft.ChainTypeFilter, nft.ChainHookForward, 0, check("endpoints-check"), check("cluster-ips-check")),
		base("filter-output", nft.ChainTypeFilter, nft.ChainHookOutput, 0, check("endpoints-check"), check("cluster-ips-check")),
		base("nat-prerouting", nft.ChainTypeNAT, nft.ChainHookPrerouting, -100, all(jump("route"))),
		base("nat-output", nft.ChainTypeNAT, nft.ChainHookOutput, -100, all(jump("route"))),
		base("nat-postrouting", nft.ChainTypeNAT, nft.ChainHookPostrouting, 100, all(jump("masquerading"))),
	)
}

// filters are the chains that refuse.
func (f family) filters() []chain {
	front := f.destinationReg()
	// The source of an allowed range lies behind the frontend, where an endpoint's index lies elsewhere.
	behind := &expr.Payload{DestRegister: f.indexReg(), Base: expr.PayloadBaseNetworkHeader, Offset: f.source, Len: 4 * f.words}
	reject := f.unreachable
	return []chain{
		{name: "reject-chain", rules: [][]expr.Any{{&reject}}},
		{name: "firewall", rules: [][]expr.Any{
			all(f.loadFrontend(), behind, in(setNames[ruleset.Allowed], front), &expr.Verdict{Kind: expr.VerdictReturn}),
			all(&expr.Verdict{Kind: expr.VerdictDrop}),
		}},
		{name: "firewall-check", rules: [][]expr.Any{all(f.loadFrontend(), in(setNames[ruleset.Firewalled], front), goTo("firewall"))}},
		{name: "endpoints-check", rules: [][]expr.Any{all(f.loadFrontend(), decide(setNames[ruleset.NoEndpoints], front))}},
		// A packet that still carries the address of a Service has a port that the Service does not; and one for an address that no Service has
		// must not leave the node either, but the Service may be about to appear.
		{name: "cluster-ips-check", rules: [][]expr.Any{
			all(f.loadDestination(), in(setNames[ruleset.ClusterIPs], front), &reject),
			all(f.loadFrontend()[:2], in(setNames[ruleset.ServiceRanges], front), &expr.Verdict{Kind: expr.VerdictDrop}),
		}},
	}
}

// routing are the chains that translate.
func (f family) routing(o Options) []chain {
	front := f.destinationReg()
	mark := o.mark()
	cluster := all(f.loadFrontend(), decide(setNames[ruleset.Services], front))
	fromOutside := [][]expr.Any{}
	if o.MasqueradeAll || f.knowsPods(o) {
		fromOutside = append(fromOutside, all(f.loadDestination(), in(setNames[ruleset.ClusterIPs], front), f.notFromPod(o), mark))
	}
	local := [][]expr.Any{}
	for _, fromPod := range f.fromPod(o) {
		local = append(local, all(fromPod, goTo("cluster-wide")))
	}
	fromNode := all(&expr.Fib{Register: reg(0), FlagSADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg(0), Data: binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)})
	local = append(local,
		all(fromNode, mark, goTo("cluster-wide")),
		all(f.loadFrontend(), decide(setNames[ruleset.LocalServices], front)))
	return []chain{
		{name: "cluster-wide", rules: [][]expr.Any{cluster}},
		{name: "outside", rules: local},
		{name: "route", rules: append(append([][]expr.Any{
			all(f.loadFrontend(), in(setNames[ruleset.ExternalLocal], front), goTo("outside"))}, fromOutside...),
			all(f.loadFrontend(), in(setNames[ruleset.External], front), mark),
			cluster)},
		{name: "masquerading", rules: [][]expr.Any{
			all(&expr.Meta{Key: expr.MetaKeyMARK, Register: reg(0)}, anyOf(o.bit()), o.unmark(), &expr.Masq{FullyRandom: true}),
			all(translated(), f.loadSource(), f.loadDestination(), in(setNames[ruleset.Hairpin], f.sourceReg()), &expr.Masq{FullyRandom: true}),
		}},
	}
}

// pickChain is where the frontends with this way to pick go. With affinity, a client that is remembered stays with its member while the Service
// has that; any other client is forgotten first, since the kernel's update would keep the member that it remembers.
//
// The member passes from rule to rule in the connection's mark, which ends as zero: the kernel could take it from register to register within
// one rule, but nft, and with it stock's kube-proxy, aborts when it lists a rule whose key contains what a map returned.
func (f family) pickChain(p ruleset.Pick) chain {
	endpoints, order, members := setNames[ruleset.Endpoints], setNames[ruleset.Order], setNames[ruleset.Members]
	if p.Local {
		endpoints, order, members = setNames[ruleset.LocalEndpoints], setNames[ruleset.LocalOrder], setNames[ruleset.LocalMembers]
	}
	load := all(f.loadSource(), f.loadFrontend())
	random := &expr.Numgen{Register: f.indexReg(), Modulus: p.Of, Type: unix.NFT_NG_RANDOM}
	out := chain{name: chainName(p)}
	if p.Sticky == 0 {
		out.rules = [][]expr.Any{all(load[1:], random, lookup(endpoints, f.destinationReg(), f.pickedReg()), f.translate())}
		return out
	}
	setMember := func(register uint32) expr.Any {
		return &expr.Ct{Key: expr.CtKeyMARK, Register: register, SourceRegister: true}
	}
	getMember := &expr.Ct{Key: expr.CtKeyMARK, Register: f.indexReg()}
	forgetMember := all(&expr.Immediate{Register: reg(0), Data: make([]byte, 4)}, setMember(reg(0)))
	member := lookup(members, f.destinationReg(), f.pickedReg())
	out.rules = [][]expr.Any{
		all(load, lookup(stickySet, f.sourceReg(), f.indexReg()), setMember(f.indexReg())),
		all(load, getMember, member, f.remember(unix.NFT_DYNSET_OP_UPDATE, p.Sticky), forgetMember, f.translate()),
		all(load[1:], random, lookup(order, f.destinationReg(), f.indexReg()), setMember(f.indexReg())),
		all(load, getMember, f.remember(dynsetDelete, 0), f.remember(unix.NFT_DYNSET_OP_ADD, p.Sticky), member, forgetMember, f.translate()),
	}
	return out
}

// dynsetDelete is NFT_DYNSET_OP_DELETE, which golang.org/x/sys lacks. On a map it wants a register of data too, and ignores it.
const dynsetDelete = 2

func (f family) remember(operation, seconds uint32) expr.Any {
	return &expr.Dynset{SetName: stickySet, Operation: operation, SrcRegKey: f.sourceReg(), SrcRegData: f.indexReg(), Timeout: duration(seconds)}
}

func chainName(p ruleset.Pick) string {
	name := fmt.Sprintf("pick-%d", p.Of)
	if p.Sticky > 0 {
		name = fmt.Sprintf("sticky-%d-%s", p.Sticky, name)
	}
	if p.Local {
		name = "local-" + name
	}
	return name
}

// fingerprint names the rules that o and this version of the schema make: another one's table is built anew.
func (o Options) fingerprint() string {
	h := fnv.New64a()
	o.NetNS = 0
	fmt.Fprintf(h, "%s %+v", schemaVersion, o)
	return fmt.Sprintf("plumb-%016x", h.Sum64())
}
