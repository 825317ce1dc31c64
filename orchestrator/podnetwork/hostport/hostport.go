// Package hostport leads ports of the node to pods, by a packet filter table of its own.
//
// It is fed by package cni with all allocations whenever one that has ports comes or goes, and replaces its table whole, in one transaction.
// Services are the proxy's, in another table.
package hostport

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	nft "github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/plumb-k8s/plumb/orchestrator/podnetwork/allocation"
)

const tableName = "plumb-hostports"

// Replace makes the ports of these allocations the only ones. Only IPv4 is translated.
func Replace(allocations []allocation.Allocation) error {
	anywhere, bound, hairpin := plan(allocations)
	conn, err := nft.New()
	if err != nil {
		return fmt.Errorf("open a netlink socket to the packet filter: %w", err)
	}
	table := &nft.Table{Family: nft.TableFamilyIPv4, Name: tableName}
	conn.AddTable(table)
	conn.DelTable(table)
	if len(anywhere)+len(bound) > 0 {
		if err := define(conn, conn.AddTable(table), anywhere, bound, hairpin); err != nil {
			return err
		}
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("commit table %s: %w", tableName, err)
	}
	return nil
}

// plan returns the elements: ports of every address, ports of one address, and pods that may reach themselves. Of two pods that claim one port,
// the first has it.
func plan(allocations []allocation.Allocation) (anywhere, bound, hairpin []nft.SetElement) {
	taken := map[string]bool{}
	for _, a := range allocations {
		i := slices.IndexFunc(a.Addresses, netip.Addr.Is4)
		if i < 0 || len(a.Ports) == 0 {
			continue
		}
		pod := a.Addresses[i].AsSlice()
		hairpin = append(hairpin, nft.SetElement{Key: append(slices.Clone(pod), pod...)})
		for _, p := range a.Ports {
			protocol, ok := protocols[p.Protocol]
			if !ok || p.Host.Is6() && !p.Host.IsUnspecified() {
				continue
			}
			key := append([]byte{protocol, 0, 0, 0}, port(p.HostPort)...)
			target := &anywhere
			if p.Host.IsValid() && !p.Host.IsUnspecified() {
				key, target = append(p.Host.AsSlice(), key...), &bound
			}
			if !taken[string(key)] {
				taken[string(key)] = true
				*target = append(*target, nft.SetElement{Key: key, Val: append(slices.Clone(pod), port(p.ContainerPort)...)})
			}
		}
	}
	return anywhere, bound, hairpin
}

var protocols = map[string]byte{"tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP, "sctp": unix.IPPROTO_SCTP}

// port fills a register.
func port(p uint16) []byte { return append(binary.BigEndian.AppendUint16(nil, p), 0, 0) }

func define(conn *nft.Conn, table *nft.Table, anywhere, bound, hairpin []nft.SetElement) error {
	endpoint := nft.MustConcatSetType(nft.TypeIPAddr, nft.TypeInetService)
	sets := []struct {
		set      *nft.Set
		elements []nft.SetElement
	}{
		{&nft.Set{Table: table, Name: "anywhere", IsMap: true, KeyType: nft.MustConcatSetType(nft.TypeInetProto, nft.TypeInetService), DataType: endpoint}, anywhere},
		{&nft.Set{Table: table, Name: "bound", IsMap: true, KeyType: nft.MustConcatSetType(nft.TypeIPAddr, nft.TypeInetProto, nft.TypeInetService), DataType: endpoint}, bound},
		{&nft.Set{Table: table, Name: "hairpin", KeyType: nft.MustConcatSetType(nft.TypeIPAddr, nft.TypeIPAddr)}, hairpin},
	}
	for _, s := range sets {
		if err := conn.AddSet(s.set, nil); err != nil {
			return fmt.Errorf("define set %s: %w", s.set.Name, err)
		}
		for part := range slices.Chunk(s.elements, 400) {
			if err := conn.SetAddElements(s.set, part); err != nil {
				return fmt.Errorf("fill set %s: %w", s.set.Name, err)
			}
		}
	}
	// One behind the proxy's priority: what is no Service may be a host port.
	for name, hook := range map[string]*nft.ChainHook{"prerouting": nft.ChainHookPrerouting, "output": nft.ChainHookOutput} {
		chain := conn.AddChain(&nft.Chain{Name: name, Table: table, Type: nft.ChainTypeNAT, Hooknum: hook, Priority: nft.ChainPriorityRef(-99)})
		for _, rule := range translate() {
			conn.AddRule(&nft.Rule{Table: table, Chain: chain, Exprs: rule})
		}
	}
	chain := conn.AddChain(&nft.Chain{Name: "postrouting", Table: table, Type: nft.ChainTypeNAT, Hooknum: nft.ChainHookPostrouting, Priority: nft.ChainPriorityNATSource})
	for _, rule := range masquerade() {
		conn.AddRule(&nft.Rule{Table: table, Chain: chain, Exprs: rule})
	}
	return nil
}

func reg(word uint32) uint32 { return unix.NFT_REG32_00 + word }

// The registers: source, destination, protocol, port, and from the fifth on the pod's address and port.
func translate() [][]expr.Any {
	load := []expr.Any{
		address(1, 16),
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg(2)},
		&expr.Payload{DestRegister: reg(3), Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
	}
	nat := &expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: reg(4), RegAddrMax: reg(4), RegProtoMin: reg(5), RegProtoMax: reg(5), Specified: true}
	toNode := []expr.Any{
		&expr.Fib{Register: reg(0), FlagDADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg(0), Data: binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)},
	}
	lookup := func(set string, from uint32) expr.Any {
		return &expr.Lookup{SourceRegister: from, DestRegister: reg(4), IsDestRegSet: true, SetName: set}
	}
	return [][]expr.Any{
		slices.Concat(load, []expr.Any{lookup("bound", reg(1)), nat}),
		slices.Concat(toNode, load, []expr.Any{lookup("anywhere", reg(2)), nat}),
	}
}

// masquerade makes replies come back by the node: to a pod that reached itself, and to the node's own loopback addresses.
func masquerade() [][]expr.Any {
	translated := []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATUS, Register: reg(0)},
		&expr.Bitwise{SourceRegister: reg(0), DestRegister: reg(0), Len: 4, Mask: binaryutil.NativeEndian.PutUint32(1 << 5), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: reg(0), Data: make([]byte, 4)},
	}
	loopback := []expr.Any{
		address(0, 12),
		&expr.Bitwise{SourceRegister: reg(0), DestRegister: reg(0), Len: 4, Mask: []byte{0xff, 0, 0, 0}, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg(0), Data: []byte{127, 0, 0, 0}},
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: reg(0)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: reg(0), Data: []byte("lo\x00")},
	}
	itself := []expr.Any{address(0, 12), address(1, 16), &expr.Lookup{SourceRegister: reg(0), SetName: "hairpin"}}
	return [][]expr.Any{
		slices.Concat(translated, itself, []expr.Any{&expr.Masq{}}),
		slices.Concat(translated, loopback, []expr.Any{&expr.Masq{}}),
	}
}

// address loads one of the IP header's addresses.
func address(word, offset uint32) expr.Any {
	return &expr.Payload{DestRegister: reg(word), Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4}
}
