package nftables

import (
	"slices"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// claims are what the Services want the table to hold. Two may claim one slot (an external IP given twice, a pod behind two Services): the
// first keeps it, and the next one follows when it lets go.
type claims struct {
	held map[slot]claim
	// waiting are those who came second, in order.
	waiting map[slot][]claim
	// owned are the slots that each Service claims.
	owned map[string][]slot
}

type claim struct {
	owner string
	content
}

// changes are slots whose content differs from before: what they held, if anything.
type changes map[slot]*content

func newClaims() *claims {
	return &claims{held: map[slot]claim{}, waiting: map[slot][]claim{}, owned: map[string][]slot{}}
}

// set replaces all that owner claims. What changes is added to into.
func (c *claims) set(owner string, want map[slot]content, into changes) {
	for _, s := range c.owned[owner] {
		if _, still := want[s]; !still {
			c.release(owner, s, into)
		}
	}
	delete(c.owned, owner)
	if len(want) == 0 {
		return
	}
	slots := make([]slot, 0, len(want))
	for s, content := range want {
		c.claim(s, claim{owner, content}, into)
		slots = append(slots, s)
	}
	c.owned[owner] = slots
}

func (c *claims) claim(s slot, want claim, into changes) {
	held, taken := c.held[s]
	switch {
	case !taken || held.owner == want.owner:
		c.put(s, want, into)
	default:
		queue := c.waiting[s]
		if i := slices.IndexFunc(queue, func(w claim) bool { return w.owner == want.owner }); i >= 0 {
			queue[i] = want
			return
		}
		c.waiting[s] = append(queue, want)
	}
}

func (c *claims) release(owner string, s slot, into changes) {
	queue := slices.DeleteFunc(c.waiting[s], func(w claim) bool { return w.owner == owner })
	if c.held[s].owner == owner {
		c.note(s, into)
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

func (c *claims) put(s slot, want claim, into changes) {
	if held, taken := c.held[s]; taken && held == want {
		return
	}
	c.note(s, into)
	c.held[s] = want
}

// note remembers what s held before the first change.
func (c *claims) note(s slot, into changes) {
	if _, noted := into[s]; noted {
		return
	}
	if held, taken := c.held[s]; taken {
		into[s] = &held.content
		return
	}
	into[s] = nil
}

// delta turns changes into what to delete and what to add.
func (c *claims) delta(changed changes) (gone, come map[slot]content) {
	gone, come = map[slot]content{}, map[slot]content{}
	for s, before := range changed {
		now, held := c.held[s]
		if held && before != nil && now.content == *before {
			continue
		}
		if before != nil {
			gone[s] = *before
		}
		if held {
			come[s] = now.content
		}
	}
	return gone, come
}

// against is the delta from what the kernel holds.
func (c *claims) against(kernel map[slot]content) (gone, come map[slot]content) {
	gone, come = map[slot]content{}, map[slot]content{}
	for s, has := range kernel {
		if want, ok := c.held[s]; !ok || want.content != has {
			gone[s] = has
		}
	}
	for s, want := range c.held {
		if has, ok := kernel[s]; !ok || has != want.content {
			come[s] = want.content
		}
	}
	return gone, come
}

// encodeFragment encodes the elements of one IP family.
func encodeFragment(f family, fragment ruleset.Fragment) map[slot]content {
	out := make(map[slot]content, len(fragment))
	for k, v := range fragment {
		if k.Address.Is4() == (f.words == 1) {
			s, c := encode(k, v)
			out[s] = c
		}
	}
	return out
}
