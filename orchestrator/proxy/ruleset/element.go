// Package ruleset decides what the proxy's packet filter should hold: from one Service, its EndpointSlices and this node, the set elements
// that route to it. It is pure: no I/O, no clocks, no goroutines.
//
// It is fed by package proxy, which watches the API, and feeds package nftables, which applies the difference. There is no chain per
// Service: everything a Service needs is elements of the sets and maps named here, so that a change costs what changed.
package ruleset

import (
	"fmt"
	"net/netip"
)

// Set names one of the packet filter's sets or maps.
type Set uint8

// The sets. A frontend is (address, protocol, port): what a client connects to.
const (
	// Services maps a frontend to how one of its endpoints is picked.
	Services Set = iota
	// LocalServices is Services for clients outside of the cluster, where externalTrafficPolicy is Local.
	LocalServices
	// Endpoints maps a frontend and a random number to a pod.
	Endpoints
	// LocalEndpoints is Endpoints of LocalServices.
	LocalEndpoints
	// Order maps a frontend with affinity and a random number to a member: what a client is remembered with, while order changes.
	Order
	// LocalOrder is Order of LocalServices.
	LocalOrder
	// Members maps a frontend with affinity and one of its members to a pod.
	Members
	// LocalMembers is Members of LocalServices.
	LocalMembers
	// ClusterIPs are the addresses of Services: nothing addressed to them may leave the node.
	ClusterIPs
	// External are frontends whose every client is masqueraded, so that replies come back through this node.
	External
	// ExternalLocal are frontends that look at where the client is before they choose between Services and LocalServices.
	ExternalLocal
	// NoEndpoints maps a frontend that leads nowhere to what its clients get.
	NoEndpoints
	// Hairpin are pods of this node that may reach themselves through a Service.
	Hairpin
	// Firewalled are frontends that only the sources in Allowed may reach.
	Firewalled
	// Allowed holds a frontend and a range of sources.
	Allowed
	// ServiceRanges are where ClusterIPs come from: what is addressed into them and is no Service goes nowhere.
	ServiceRanges

	// Sets is how many there are.
	Sets
)

// Protocol is an IP protocol number.
type Protocol uint8

// The protocols that a Service may have.
const (
	TCP  Protocol = 6
	UDP  Protocol = 17
	SCTP Protocol = 132
)

// Frontend is what a client connects to.
type Frontend struct {
	Address  netip.Addr
	Protocol Protocol
	Port     uint16
}

func (f Frontend) String() string {
	return fmt.Sprintf("%s/%d", netip.AddrPortFrom(f.Address, f.Port), f.Protocol)
}

// Key of an element. Which fields count depends on Set; the others are zero.
type Key struct {
	Set
	Frontend
	// Index is the random number in Endpoints and Order, the member in Members.
	Index uint32
	// Range of sources in Allowed, of addresses in ServiceRanges.
	Range netip.Prefix
}

// Value of an element of a map; zero in a set.
type Value struct {
	Pick
	// Endpoint in Endpoints and Members.
	Endpoint netip.AddrPort
	// Member in Order.
	Member uint32
	// Refusal in NoEndpoints.
	Refusal Refusal
}

// Pick is how one of several endpoints is chosen.
type Pick struct {
	// Of is the number of endpoints.
	Of uint32
	// Sticky is the seconds for which a client stays with its endpoint; 0: each connection is on its own.
	Sticky uint32
	// Local picks from the local sets.
	Local bool
}

// Refusal is what a client gets where no endpoint can be reached.
type Refusal uint8

// The refusals.
const (
	// Reject tells the client at once: nobody serves this.
	Reject Refusal = iota + 1
	// Drop says nothing: other nodes may serve this.
	Drop
)

// Fragment is all that one Service contributes.
type Fragment map[Key]Value

func (f Fragment) add(set Set, front Frontend) { f[Key{Set: set, Frontend: front}] = Value{} }
