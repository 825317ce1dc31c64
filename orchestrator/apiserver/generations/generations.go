// Package generations is the one cache of the apiserver for what is costly to find out again and of which there is no end: verified signatures,
// parsed headers, sets of fields.
//
// A Cache has two generations. What is asked for while it is in the older one comes into the young one; when that is full it becomes the older one,
// and what nobody has asked for since is forgotten. So a flood of things that come once pushes out none that are in use. Its users are authn,
// endpoint and fields; it knows nothing of what it keeps.
package generations

import "sync"

// Cache of values by key, ready to use once Limit is set.
type Cache[K comparable, V any] struct {
	// Limit bounds what the values of one generation cost together.
	Limit int

	mu           sync.RWMutex
	young, older map[K]entry[V]
	// cost of the young ones.
	cost int
}

type entry[V any] struct {
	value V
	cost  int
}

// Get returns what is remembered of a key.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.RLock()
	e, young := c.young[key]
	if young {
		c.mu.RUnlock()
		return e.value, true
	}
	e, ok := c.older[key]
	c.mu.RUnlock()
	if ok {
		c.keep(key, e)
	}
	return e.value, ok
}

// Put remembers a value, which costs something of the limit. What costs more than all of it is not remembered.
func (c *Cache[K, V]) Put(key K, value V, cost int) {
	if cost <= c.Limit {
		c.keep(key, entry[V]{value, cost})
	}
}

// Len counts what is remembered.
func (c *Cache[K, V]) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	n := len(c.young)
	for key := range c.older {
		if _, too := c.young[key]; !too {
			n++
		}
	}
	return n
}

// keep makes an entry one of the young.
func (c *Cache[K, V]) keep(key K, e entry[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.young[key]; ok {
		c.cost -= old.cost
	} else if c.young == nil || c.cost+e.cost > c.Limit {
		c.young, c.older, c.cost = map[K]entry[V]{}, c.young, 0
	}
	c.young[key] = e
	c.cost += e.cost
}
