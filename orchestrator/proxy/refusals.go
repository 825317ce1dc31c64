package proxy

import (
	"maps"
	"sync"
	"time"

	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"
)

// A Service that the kernel refuses is tried again after firstPause, then after twice as long each time, up to longestPause.
const (
	firstPause   = time.Second
	longestPause = time.Minute
)

// refusals are the keys whose elements the kernel refuses, and why. No other one suffers from them.
type refusals struct {
	pauses *flowcontrol.Backoff
	clock  clock.Clock

	mu  sync.Mutex
	why map[string]string
}

func newRefusals(c clock.Clock) *refusals {
	pauses := flowcontrol.NewBackOff(firstPause, longestPause)
	pauses.Clock = c
	return &refusals{pauses: pauses, clock: c, why: map[string]string{}}
}

// refuse notes why key is refused, and tells whether that is new and how long to wait before it is tried again.
func (r *refusals) refuse(key, why string) (news bool, pause time.Duration) {
	r.mu.Lock()
	news = r.why[key] != why
	r.why[key] = why
	r.mu.Unlock()
	return news, r.pause(key)
}

// pause before key is tried again, longer each time.
func (r *refusals) pause(key string) time.Duration {
	r.pauses.Next(key, r.clock.Now())
	return r.pauses.Get(key)
}

// accept notes that the kernel holds what key should have.
func (r *refusals) accept(key string) {
	r.mu.Lock()
	delete(r.why, key)
	r.mu.Unlock()
	r.pauses.Reset(key)
}

// all that are refused, with the reasons.
func (r *refusals) all() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.why)
}

func (r *refusals) refused(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, refused := r.why[key]
	return refused
}
