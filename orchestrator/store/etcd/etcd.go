// Package etcd is a Store in an etcd cluster: what makes acknowledged writes survive any single crash.
//
// The apiserver opens it with --etcd-servers. Each write is one transaction with a compare on the key's revision; a failed one brings the
// current value back with it. It passes storetest against the embedded member.
package etcd

import (
	"context"
	"errors"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// Store in etcd.
type Store struct {
	client *clientv3.Client
	leases *leases
	terms  *terms
}

var _ store.Store = (*Store)(nil)

// New returns a store on a client, which it does not close.
func New(client *clientv3.Client) *Store {
	t := &terms{status: func(ctx context.Context) (uint64, error) { return memberTerm(ctx, client) }}
	return &Store{client: client, leases: &leases{granter: client, terms: t}, terms: t}
}

// memberTerm asks the one member that the client knows; of several, it cannot be told which one a write went to. It asks on the connection that the
// writes use: the client's own Status opens another each time, and a TLS handshake is what a node that has just lost another has no time for.
func memberTerm(ctx context.Context, client *clientv3.Client) (uint64, error) {
	if endpoints := client.Endpoints(); len(endpoints) != 1 {
		return 0, fmt.Errorf("%d members", len(endpoints))
	}
	r, err := pb.NewMaintenanceClient(client.ActiveConnection()).Status(ctx, &pb.StatusRequest{})
	if err != nil {
		return 0, err
	}
	return r.RaftTerm, nil
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string) (store.Entry, error) {
	r, err := s.client.Get(ctx, key)
	if err != nil {
		return store.Entry{}, fmt.Errorf("get %s: %w", key, err)
	}
	if len(r.Kvs) == 0 {
		return store.Entry{}, store.ErrNotFound
	}
	return store.Entry{Key: key, Value: r.Kvs[0].Value, ModRevision: r.Kvs[0].ModRevision}, nil
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, prefix string, opts store.ListOptions) (store.Page, error) {
	start := prefix
	if opts.After >= prefix && opts.After != "" {
		start = opts.After + "\x00"
	}
	options := []clientv3.OpOption{clientv3.WithRange(clientv3.GetPrefixRangeEnd(prefix)), clientv3.WithRev(opts.Revision), clientv3.WithLimit(opts.Limit)}
	r, err := s.client.Get(ctx, start, options...)
	if err != nil {
		return store.Page{}, fmt.Errorf("list %s: %w", prefix, translate(err))
	}
	page := store.Page{Revision: r.Header.Revision, More: r.More, Remaining: r.Count - int64(len(r.Kvs))}
	if opts.Revision != 0 {
		page.Revision = opts.Revision
	}
	for _, kv := range r.Kvs {
		page.Entries = append(page.Entries, store.Entry{Key: string(kv.Key), Value: kv.Value, ModRevision: kv.ModRevision})
	}
	return page, nil
}

// translate maps etcd's errors to the store's.
func translate(err error) error {
	switch {
	case errors.Is(err, rpctypes.ErrCompacted):
		return store.ErrCompacted
	case errors.Is(err, rpctypes.ErrFutureRev):
		return store.ErrFutureRevision
	}
	return err
}

// Create implements store.Store.
func (s *Store) Create(ctx context.Context, put store.Put) (int64, error) {
	return s.Update(ctx, put, 0)
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, put store.Put, expected int64) (int64, error) {
	op, err := s.put(ctx, put)
	if err != nil {
		return 0, err
	}
	return s.commit(ctx, put.Key, expected, op)
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, key string, expected int64) (int64, error) {
	return s.commit(ctx, key, expected, clientv3.OpDelete(key))
}

func (s *Store) put(ctx context.Context, put store.Put) (clientv3.Op, error) {
	if put.TTL <= 0 {
		return clientv3.OpPut(put.Key, string(put.Value)), nil
	}
	lease, err := s.leases.of(ctx, put.TTL)
	if err != nil {
		return clientv3.Op{}, fmt.Errorf("lease for %s: %w", put.Key, err)
	}
	return clientv3.OpPut(put.Key, string(put.Value), clientv3.WithLease(lease)), nil
}

// commit runs one operation if the key is at the expected revision; else it returns what the key holds. When etcd's leader changes meanwhile it
// tries once more, but for a creation: both attempts ask for the same revision, which a key has only once, so one of them is done at most.
func (s *Store) commit(ctx context.Context, key string, expected int64, op clientv3.Op) (int64, error) {
	revision, err := s.attempt(ctx, key, expected, op)
	if expected == 0 || !errors.Is(err, errLeaderChanged) {
		return revision, err
	}
	revision, again := s.attempt(ctx, key, expected, op)
	var conflict *store.ConflictError
	if errors.As(again, &conflict) {
		return 0, err // the first attempt was done, or another writer was faster: nobody can tell
	}
	return revision, again
}

func (s *Store) attempt(ctx context.Context, key string, expected int64, op clientv3.Op) (int64, error) {
	ctx, done := s.terms.guard(ctx)
	defer done()
	r, err := s.client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", expected)).Then(op).Else(clientv3.OpGet(key)).Commit()
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", key, because(ctx, err))
	}
	s.terms.answered(r.Header)
	if r.Succeeded {
		return r.Header.Revision, nil
	}
	conflict := &store.ConflictError{Key: key, Current: store.Entry{Key: key}}
	if kvs := r.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		conflict.Current = store.Entry{Key: key, Value: kvs[0].Value, ModRevision: kvs[0].ModRevision}
	}
	return 0, conflict
}

// maxOps is how many operations etcd takes in one transaction (--max-txn-ops, default 128); each put needs a nested transaction.
const maxOps = 120

// CreateMissing implements store.Store.
func (s *Store) CreateMissing(ctx context.Context, puts []store.Put) (int, error) {
	created := 0
	for len(puts) > 0 {
		n := min(len(puts), maxOps)
		ops := make([]clientv3.Op, 0, n)
		for _, put := range puts[:n] {
			op, err := s.put(ctx, put)
			if err != nil {
				return created, err
			}
			absent := clientv3.Compare(clientv3.CreateRevision(put.Key), "=", 0)
			ops = append(ops, clientv3.OpTxn([]clientv3.Cmp{absent}, []clientv3.Op{op}, nil))
		}
		r, err := s.client.Txn(ctx).Then(ops...).Commit()
		if err != nil {
			return created, fmt.Errorf("create %d keys: %w", n, err)
		}
		for _, response := range r.Responses {
			if response.GetResponseTxn().Succeeded {
				created++
			}
		}
		puts = puts[n:]
	}
	return created, nil
}

// Revision implements store.Store.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	r, err := s.client.Get(ctx, "/", clientv3.WithCountOnly(), clientv3.WithLimit(1))
	if err != nil {
		return 0, fmt.Errorf("read the revision: %w", err)
	}
	s.terms.answered(r.Header)
	return r.Header.Revision, nil
}

// Compact implements store.Store.
func (s *Store) Compact(ctx context.Context, revision int64) error {
	_, err := s.client.Compact(ctx, revision)
	if err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
		return fmt.Errorf("compact at %d: %w", revision, translate(err))
	}
	return nil
}
