package proxy

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// backlog is what happened and is not in the kernel yet. Its keys are Services (namespace/name), serviceRanges, and "" for the Node.
type backlog struct {
	clock clock.PassiveClock
	// wake has room for one: a change that comes while another is handled is not lost.
	wake chan struct{}

	mu sync.Mutex
	// fresh are the keys that nobody has taken since something happened to them, and when it first did.
	fresh map[string]time.Time
	// taken are those that were, and that the kernel does not hold yet. A retry does not make them younger.
	taken map[string]time.Time
}

func newBacklog(c clock.PassiveClock) *backlog {
	return &backlog{clock: c, wake: make(chan struct{}, 1), fresh: map[string]time.Time{}, taken: map[string]time.Time{}}
}

// add notes that something happened to keys.
func (b *backlog) add(keys ...string) {
	b.mu.Lock()
	now := b.clock.Now()
	for _, key := range keys {
		if _, already := b.fresh[key]; !already {
			b.fresh[key] = now
		}
	}
	b.mu.Unlock()
	b.signal()
}

// again hands out once more what was taken and is not done, where it counts.
func (b *backlog) again(counts func(key string) bool) {
	b.mu.Lock()
	for key, since := range b.taken {
		if _, already := b.fresh[key]; !already && counts(key) {
			b.fresh[key] = since
		}
	}
	b.mu.Unlock()
	b.signal()
}

func (b *backlog) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take hands out what is to be programmed.
func (b *backlog) take() map[string]struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[string]struct{}, len(b.fresh))
	for key, since := range b.fresh {
		out[key] = struct{}{}
		if _, before := b.taken[key]; !before {
			b.taken[key] = since
		}
	}
	clear(b.fresh)
	return out
}

// follow takes more keys, which wait for as long as cause does.
func (b *backlog) follow(cause string, keys ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	since, ok := b.taken[cause]
	for _, key := range keys {
		if _, before := b.taken[key]; ok && !before {
			b.taken[key] = since
		}
	}
}

// done notes that the kernel holds what was taken.
func (b *backlog) done(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.taken, key)
}

// oldest is when the oldest change came that the kernel does not hold yet, among the keys that count; zero: there is none.
func (b *backlog) oldest(counts func(key string) bool) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	var oldest time.Time
	for _, waiting := range []map[string]time.Time{b.fresh, b.taken} {
		for key, since := range waiting {
			if counts(key) && (oldest.IsZero() || since.Before(oldest)) {
				oldest = since
			}
		}
	}
	return oldest
}
