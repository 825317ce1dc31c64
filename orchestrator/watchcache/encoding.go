package watchcache

import (
	"container/list"
	"sync"
	"sync/atomic"
	"weak"
)

// EncodingKey tells apart the encodings of one object.
type EncodingKey struct {
	Version, MediaType, Transform string
}

// encodings of one object: made once, shared by every list and watch that needs it, dropped when the budget demands it.
type encodings struct {
	budget *budget
	// slots are replaced as a whole, so that readers take no lock.
	slots atomic.Pointer[[]*slot]
	// mu is held while one is made.
	mu sync.Mutex
	// retired objects are no longer in the cache: what is still encoded of them is their last readers' own.
	retired atomic.Bool
}

// slot is one encoding. The budget knows it for as long as it is kept, which must not keep the object that it is of.
type slot struct {
	owner weak.Pointer[Object]
	key   EncodingKey
	bytes []byte
	// used since the budget last looked.
	used atomic.Bool
	// place in the budget's ring; the budget's lock guards it.
	place *list.Element
}

func (e *encodings) find(key EncodingKey) *slot {
	slots := e.slots.Load()
	if slots == nil {
		return nil
	}
	for _, s := range *slots {
		if s.key == key {
			return s
		}
	}
	return nil
}

// Encoding returns the object's bytes in one encoding, made on the first call. The slice is shared. encode must not ask the same object.
func (o *Object) Encoding(key EncodingKey, encode func() ([]byte, error)) ([]byte, error) {
	e := &o.encodings
	if s := e.find(key); s != nil {
		if !s.used.Load() {
			s.used.Store(true)
		}
		return s.bytes, nil
	}
	made, err := o.encode(key, encode)
	if err != nil {
		return nil, err
	}
	// The budget takes other objects' locks: this one's is free again.
	if !e.retired.Load() {
		e.budget.add(made)
	}
	return made.bytes, nil
}

// encode makes one, unless another caller just has.
func (o *Object) encode(key EncodingKey, encode func() ([]byte, error)) (*slot, error) {
	e := &o.encodings
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.find(key); s != nil {
		return s, nil
	}
	bytes, err := encode()
	if err != nil {
		return nil, err
	}
	made := &slot{owner: weak.Make(o), key: key, bytes: bytes}
	var slots []*slot
	if old := e.slots.Load(); old != nil {
		slots = append(slots, *old...)
	}
	slots = append(slots, made)
	e.slots.Store(&slots)
	return made, nil
}

// drop forgets one.
func (e *encodings) drop(gone *slot) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.slots.Load()
	if old == nil {
		return
	}
	var slots []*slot
	for _, s := range *old {
		if s != gone {
			slots = append(slots, s)
		}
	}
	e.slots.Store(&slots)
}

// budget bounds the bytes of all encodings. What was not used since the budget last came by goes first (a clock, in place of a list that
// every read would have to reorder).
type budget struct {
	limit int64

	mu    sync.Mutex
	bytes int64
	ring  list.List
}

// add accounts for a slot and drops others until all fit.
func (b *budget) add(s *slot) {
	if b == nil {
		return
	}
	for _, gone := range b.admit(s) {
		if owner := gone.owner.Value(); owner != nil {
			owner.encodings.drop(gone)
		}
	}
}

// retire forgets the objects that events replaced: the log was the last to have them.
func (b *budget) retire(events []Event) {
	for i := range events {
		if events[i].Previous != nil {
			b.drop(events[i].Previous)
		}
	}
}

// drop forgets an object's encodings. They stay with the object, for whoever is still sending it.
func (b *budget) drop(o *Object) {
	o.encodings.retired.Store(true)
	slots := o.encodings.slots.Load()
	if slots == nil || b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range *slots {
		b.remove(s)
	}
}

// remove takes a slot off the ring. The lock is held.
func (b *budget) remove(s *slot) {
	if s.place == nil {
		return
	}
	b.ring.Remove(s.place)
	s.place = nil
	b.bytes -= cost(s)
}

// admit returns the slots that must go.
func (b *budget) admit(s *slot) []*slot {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.place != nil {
		return nil
	}
	s.place = b.ring.PushBack(s)
	b.bytes += cost(s)
	var victims []*slot
	for chances := b.ring.Len(); b.bytes > b.limit && b.ring.Len() > 0; {
		front := b.ring.Front()
		candidate := front.Value.(*slot)
		if candidate.used.Swap(false) && chances > 0 {
			chances--
			b.ring.MoveToBack(front)
			continue
		}
		b.remove(candidate)
		victims = append(victims, candidate)
	}
	return victims
}

// cost of a slot, with what it takes to keep it.
func cost(s *slot) int64 {
	const overhead = 200
	return int64(len(s.bytes)) + overhead
}
