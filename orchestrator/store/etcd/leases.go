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
	client *clientv3.Client
	terms  *terms

	mu      sync.Mutex
	current map[time.Duration]shared
}

// shared is a lease with the time until which further keys may join it.
type shared struct {
	id    clientv3.LeaseID
	until time.Time
	keys  int
}

// A lease is shared for this part of the keys' life, and by at most this many keys (as in stock: 1000).
const (
	shareFraction = 20
	maxShare      = 1000
)

// of returns a lease that ends no earlier than ttl from now, and at most a twentieth later.
func (l *leases) of(ctx context.Context, ttl time.Duration) (clientv3.LeaseID, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		l.current = map[time.Duration]shared{}
	}
	now := time.Now()
	have, ok := l.current[ttl]
	if ok && now.Before(have.until) && have.keys < maxShare {
		have.keys++
		l.current[ttl] = have
		return have.id, nil
	}
	share := ttl / shareFraction
	granted, err := l.grant(ctx, ttl+share)
	if errors.Is(err, errLeaderChanged) {
		granted, err = l.grant(ctx, ttl+share) // one that was granted, and nobody uses, ends by itself
	}
	if err != nil {
		return 0, err
	}
	l.current[ttl] = shared{id: granted.ID, until: now.Add(share), keys: 1}
	return granted.ID, nil
}

func (l *leases) grant(ctx context.Context, ttl time.Duration) (*clientv3.LeaseGrantResponse, error) {
	ctx, done := l.terms.guard(ctx)
	defer done()
	granted, err := l.client.Grant(ctx, int64((ttl+time.Second-1)/time.Second))
	return granted, because(ctx, err)
}
