package nftables

import "slices"

// claims are what the Services want the table to hold. Two may claim one slot (an external IP given twice, a pod behind two Services): the
// first keeps it, and the next one follows when it lets go.
type claims struct {
	held map[slot]claim
	// waiting are those who came second, in order.
	waiting map[slot][]claim
	// owned are the slots that each Service claims.
	owned map[string][]slot
	// differs are the slots where the kernel may hold something else than held says, with what it holds; nil: nothing.
	differs map[slot]*content
}

type claim struct {
	owner string
	content
}

func newClaims() *claims {
	return &claims{held: map[slot]claim{}, waiting: map[slot][]claim{}, owned: map[string][]slot{}, differs: map[slot]*content{}}
}

// wants is all that owner claims.
func (c *claims) wants(owner string) map[slot]content {
	out := make(map[slot]content, len(c.owned[owner]))
	for _, s := range c.owned[owner] {
		if held := c.held[s]; held.owner == owner {
			out[s] = held.content
			continue
		}
		for _, w := range c.waiting[s] {
			if w.owner == owner {
				out[s] = w.content
			}
		}
	}
	return out
}

// set replaces all that owner claims.
func (c *claims) set(owner string, want map[slot]content) {
	for _, s := range c.owned[owner] {
		if _, still := want[s]; !still {
			c.release(owner, s)
		}
	}
	delete(c.owned, owner)
	if len(want) == 0 {
		return
	}
	slots := make([]slot, 0, len(want))
	for s, content := range want {
		c.claim(s, claim{owner, content})
		slots = append(slots, s)
	}
	c.owned[owner] = slots
}

func (c *claims) claim(s slot, want claim) {
	held, taken := c.held[s]
	switch {
	case !taken || held.owner == want.owner:
		c.put(s, want)
	default:
		queue := c.waiting[s]
		if i := slices.IndexFunc(queue, func(w claim) bool { return w.owner == want.owner }); i >= 0 {
			queue[i] = want
			return
		}
		c.waiting[s] = append(queue, want)
	}
}

func (c *claims) release(owner string, s slot) {
	queue := slices.DeleteFunc(c.waiting[s], func(w claim) bool { return w.owner == owner })
	if c.held[s].owner == owner {
		c.note(s)
		delete(c.held, s)
		if len(queue) > 0 {
			c.held[s] = queue[0]
			queue = queue[1:]
		}
	}
	if len(queue) == 0 {
		delete(c.waiting, s)
		return
	}
	c.waiting[s] = queue
}

func (c *claims) put(s slot, want claim) {
	if held, taken := c.held[s]; taken && held == want {
		return
	}
	c.note(s)
	c.held[s] = want
}

// note remembers what the kernel holds at s, before held says something else.
func (c *claims) note(s slot) {
	if _, noted := c.differs[s]; noted {
		return
	}
	if held, taken := c.held[s]; taken {
		c.differs[s] = &held.content
		return
	}
	c.differs[s] = nil
}

// compare learns what the kernel holds.
func (c *claims) compare(kernel map[slot]content) {
	clear(c.differs)
	for s, has := range kernel {
		if want, ok := c.held[s]; !ok || want.content != has {
			c.differs[s] = &has
		}
	}
	for s := range c.held {
		if _, ok := kernel[s]; !ok {
			c.differs[s] = nil
		}
	}
}

// delta is what to delete from the kernel and what to add. sparing leaves alone what nobody claims.
func (c *claims) delta(sparing bool) (gone, come map[slot]content) {
	gone, come = map[slot]content{}, map[slot]content{}
	for s, has := range c.differs {
		want, held := c.held[s]
		switch {
		case held && has != nil && want.content == *has, !held && has == nil:
			delete(c.differs, s)
			continue
		case !held && sparing:
			continue
		}
		if has != nil {
			gone[s] = *has
		}
		if held {
			come[s] = want.content
		}
	}
	return gone, come
}

// programmed notes that the kernel holds what delta said.
func (c *claims) programmed(gone, come map[slot]content) {
	for s := range gone {
		delete(c.differs, s)
	}
	for s := range come {
		delete(c.differs, s)
	}
}
