// Package backoff counts failures by key and says how long to wait: each failure doubles the wait, and a long success forgets it.
//
// Pure but for its map; callers bring the time. Image pulls and container restarts use it.
package backoff

import (
	"strings"
	"sync"
	"time"
)

// Table of waits.
type Table struct {
	First, Max time.Duration

	mu   sync.Mutex
	seen map[string]entry
}

type entry struct {
	wait time.Duration
	last time.Time
}

// New makes a table whose waits go from first to at most limit.
func New(first, limit time.Duration) *Table {
	return &Table{First: first, Max: limit, seen: map[string]entry{}}
}

// Wait is the wait that the last failure of key earned; 0 without one, or when twice the maximum passed since.
func (t *Table) Wait(key string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.seen[key]
	if !ok || now.Sub(e.last) > 2*t.Max {
		return 0
	}
	return e.wait
}

// Remaining is how long to wait still, counted from since (the failure itself when since is zero).
func (t *Table) Remaining(key string, since, now time.Time) time.Duration {
	wait := t.Wait(key, now)
	if wait == 0 {
		return 0
	}
	if since.IsZero() {
		t.mu.Lock()
		since = t.seen[key].last
		t.mu.Unlock()
	}
	return max(0, wait-now.Sub(since))
}

// Next records a failure (or an attempt that follows one).
func (t *Table) Next(key string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.seen[key]
	if !ok || now.Sub(e.last) > 2*t.Max {
		t.seen[key] = entry{wait: t.First, last: now}
		return
	}
	t.seen[key] = entry{wait: min(2*e.wait, t.Max), last: now}
}

// Forget drops every key with the prefix.
func (t *Table) Forget(prefix string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range t.seen {
		if strings.HasPrefix(key, prefix) {
			delete(t.seen, key)
		}
	}
}
