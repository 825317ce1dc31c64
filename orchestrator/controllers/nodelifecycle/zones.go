package nodelifecycle

import (
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/component-helpers/node/topology"
)

// pace limits how many nodes a second of a zone get their NoExecute taint.
type pace struct {
	tokens float64
	last   time.Time
}

// allow takes a token at that rate; one may be saved up.
func (p *pace) allow(rate float64, now time.Time) bool {
	if p.last.IsZero() {
		p.tokens = 1
	} else {
		p.tokens = min(1, p.tokens+rate*now.Sub(p.last).Seconds())
	}
	p.last = now
	if rate <= 0 || p.tokens < 1 {
		return false
	}
	p.tokens--
	return true
}

// permit tells whether a node may be tainted for eviction.
type permit int

const (
	// held: not now; a node that is tainted stays so.
	held permit = iota
	granted
	// calledOff: no node of the cluster is to be evicted from.
	calledOff
)

// permits are the nodes that may be tainted for eviction.
type permits struct {
	mu    sync.Mutex
	nodes map[string]bool
	// off: none may, whatever nodes says.
	off bool
}

func (p *permits) of(name string) permit {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.off:
		return calledOff
	case p.nodes[name]:
		return granted
	}
	return held
}

func (p *permits) grant(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.nodes == nil {
		p.nodes = map[string]bool{}
	}
	p.nodes[name] = true
}

func (p *permits) drop(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.nodes, name)
}

// callOff takes every permit back and grants none, or ends that.
func (p *permits) callOff(off bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.off = off; off {
		clear(p.nodes)
	}
}

// zones decides which unready nodes may be tainted for eviction: at the zone's pace, and none while every zone is fully down, for then it is more
// likely that this control plane is cut off: evictions under way are called off.
func (c *controller) zones(nodes []*core.Node, now time.Time) {
	byZone := map[string][]*core.Node{}
	for _, node := range nodes {
		zone := topology.GetZoneKey(node)
		byZone[zone] = append(byZone[zone], node)
	}
	rates, allDown := map[string]float64{}, true
	for zone, members := range byZone {
		ready, unready := 0, 0
		for _, node := range members {
			if isReady(node) {
				ready++
			} else {
				unready++
			}
		}
		state := stateOf(ready, unready, c.Settings.UnhealthyZone)
		allDown = allDown && state == full
		switch {
		case state == partial && len(members) <= c.Settings.LargeCluster:
			rates[zone] = 0
		case state == partial:
			rates[zone] = c.Settings.SecondaryEvictionRate
		default:
			rates[zone] = c.Settings.EvictionRate
		}
	}
	c.permit.callOff(allDown)
	for zone, members := range byZone {
		if c.paces[zone] == nil {
			c.paces[zone] = &pace{}
		}
		for _, node := range members {
			switch {
			case isReady(node):
				c.permit.drop(node.Name)
			case allDown:
				c.loop.Add(node.Name)
			case c.permit.of(node.Name) != granted && c.paces[zone].allow(rates[zone], now):
				c.permit.grant(node.Name)
				c.loop.Add(node.Name)
			}
		}
	}
}
