package etcd

import (
	"context"
	"errors"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// leases shares one etcd lease among keys of about the same end of life: a lease of its own for each event would cost a write each.
type leases struct {
	granter granter
	terms   *terms

	mu      sync.Mutex
	current map[time.Duration]*shared
}

// granter is the part of a client that grants leases.
type granter interface {
	Grant(ctx context.Context, ttl int64) (*clientv3.LeaseGrantResponse, error)
}

// shared is a lease with the time until which further keys may join it. Those who come while it is being granted wait for it together, each for as
// long as it likes.
type shared struct {
	until time.Time
	keys  int
	// granted is closed when id or err is known.
	granted chan struct{}
	id      clientv3.LeaseID
	err     error
}

// A lease is shared for this part of the keys' life, and by at most this many keys (as in stock: 1000).
const (
	shareFraction = 20
	maxShare      = 1000
)

// grantTimeout bounds a grant: it serves all who wait for it, so it outlives each of them.
const grantTimeout = 10 * time.Second

// of returns a lease that ends no earlier than ttl from now, and at most a twentieth later.
func (l *leases) of(ctx context.Context, ttl time.Duration) (clientv3.LeaseID, error) {
	lease := l.join(ctx, ttl)
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-lease.granted:
		return lease.id, lease.err
	}
}

// join finds a lease for one more key, and has one granted when there is none.
func (l *leases) join(ctx context.Context, ttl time.Duration) *shared {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		l.current = map[time.Duration]*shared{}
	}
	now := time.Now()
	if have := l.current[ttl]; have != nil && now.Before(have.until) && have.keys < maxShare {
		have.keys++
		return have
	}
	share := ttl / shareFraction
	lease := &shared{until: now.Add(share), keys: 1, granted: make(chan struct{})}
	l.current[ttl] = lease
	go l.fill(context.WithoutCancel(ctx), lease, ttl)
	return lease
}

// fill has a lease granted. One that was not is forgotten before anyone is told, so that whoever tries again gets another.
func (l *leases) fill(ctx context.Context, lease *shared, ttl time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, grantTimeout)
	defer cancel()
	// Keys may join until share has passed, counted from before the grant: the lease outlives the last of them.
	life := ttl + ttl/shareFraction
	granted, err := l.grant(ctx, life)
	if errors.Is(err, errLeaderChanged) {
		granted, err = l.grant(ctx, life) // one that was granted, and nobody uses, ends by itself
	}
	if lease.err = err; err == nil {
		lease.id = granted.ID
	} else {
		l.forget(ttl, lease)
	}
	close(lease.granted)
}

func (l *leases) forget(ttl time.Duration, lease *shared) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current[ttl] == lease {
		delete(l.current, ttl)
	}
}

func (l *leases) grant(ctx context.Context, ttl time.Duration) (*clientv3.LeaseGrantResponse, error) {
	ctx, done := l.terms.guard(ctx)
	defer done()
	granted, err := l.granter.Grant(ctx, int64((ttl+time.Second-1)/time.Second))
	return granted, because(ctx, err)
}
