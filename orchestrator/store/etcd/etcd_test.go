package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/store/etcd"
	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
	"github.com/plumb-k8s/plumb/orchestrator/store/storetest"
)

// member starts an etcd of its own on loopback and returns a client that speaks gRPC to it.
func member(t *testing.T) *clientv3.Client {
	t.Helper()
	cfg := embed.NewConfig()
	cfg.Dir, cfg.LogLevel, cfg.UnsafeNoFsync = filepath.Join(t.TempDir(), "d"), "error", true
	loopback := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls, cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = loopback, loopback, loopback, loopback
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	<-e.Server.ReadyNotify()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{e.Clients[0].Addr().String()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return etcd.New(member(t)) })
}

// operation is one random call; its outcome is what both stores must agree on.
type operation struct {
	kind     int
	key      string
	value    string
	expected int64
	revision int64
}

func (o operation) outcome(ctx context.Context, s store.Store) string {
	put := store.Put{Key: o.key, Value: []byte(o.value)}
	var result any
	var err error
	switch o.kind {
	case 0:
		result, err = s.Create(ctx, put)
	case 1:
		result, err = s.Update(ctx, put, o.expected)
	case 2:
		result, err = s.Delete(ctx, o.key, max(o.expected, 1))
	case 3:
		result, err = s.List(ctx, "/r/", store.ListOptions{Revision: o.revision, Limit: 3, After: o.key})
	case 4:
		result, err = s.CreateMissing(ctx, []store.Put{put, {Key: o.key + "x", Value: put.Value}})
	case 5:
		err = s.Compact(ctx, o.revision)
	}
	var conflict *store.ConflictError
	switch {
	case errors.As(err, &conflict):
		return fmt.Sprintf("conflict with %q at %d", conflict.Current.Value, conflict.Current.ModRevision)
	case errors.Is(err, store.ErrCompacted):
		return "compacted"
	case errors.Is(err, store.ErrFutureRevision):
		return "future"
	case err != nil:
		return err.Error()
	}
	return fmt.Sprintf("%+v", result)
}

// TestMemoryIsLikeEtcd: the same calls have the same outcomes, and the same events follow.
func TestMemoryIsLikeEtcd(t *testing.T) {
	const calls = 1500
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	durable, volatile := etcd.New(member(t)), memory.New()
	compacted := int64(1)
	for i := range calls {
		head, err := volatile.Revision(ctx)
		if err != nil {
			t.Fatal(err)
		}
		o := operation{kind: random.IntN(5), key: fmt.Sprintf("/r/%d", random.IntN(8)), value: fmt.Sprint(i), revision: compacted + random.Int64N(head-compacted+3)}
		if current, err := volatile.Get(ctx, o.key); err == nil && random.IntN(4) > 0 {
			o.expected = current.ModRevision
		}
		if random.IntN(200) == 0 && o.revision <= head {
			o.kind, compacted = 5, o.revision
		}
		theirs, ours := o.outcome(ctx, durable), o.outcome(ctx, volatile)
		if theirs != ours {
			t.Fatalf("call %d %+v: etcd %s, memory %s", i, o, theirs, ours)
		}
	}
	head, err := durable.Revision(ctx)
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := history(ctx, t, durable, compacted, head), history(ctx, t, volatile, compacted, head)
	if !reflect.DeepEqual(theirs, ours) {
		t.Fatalf("events differ behind %d:\n%v\n%v", compacted, theirs, ours)
	}
}

// history is every event behind a revision up to another.
func history(ctx context.Context, t *testing.T, s store.Store, after, upTo int64) []string {
	t.Helper()
	var all []string
	enough := errors.New("enough")
	if after == upTo {
		return nil
	}
	err := s.Follow(ctx, "/r/", after, func(b store.Batch) error {
		for _, e := range b.Events {
			// What an event replaced may be gone from etcd with the compaction.
			all = append(all, fmt.Sprintf("%d %s %q %v %v", e.Revision, e.Key, e.Value, e.Created, e.Deleted))
		}
		if b.Revision >= upTo {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatalf("follow: %v", err)
	}
	return all
}

// TestCompactor: of two apiservers that share a store, one compacts, at a revision seen a round ago.
func TestCompactor(t *testing.T) {
	client := member(t)
	s := etcd.New(client)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	old, err := s.Create(ctx, store.Put{Key: "/r/a", Value: []byte("1")})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{}, 2)
	running, stop := context.WithCancel(ctx)
	for range 2 {
		go func() {
			etcd.Compactor{Client: client, Interval: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)}.Run(running)
			done <- struct{}{}
		}()
	}
	for revision := old; ; {
		if _, err := s.List(ctx, "/r/", store.ListOptions{Revision: old}); errors.Is(err, store.ErrCompacted) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if revision, err = s.Update(ctx, store.Put{Key: "/r/a", Value: []byte("2")}, revision); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	<-done
	<-done
	if e, err := s.Get(ctx, "/r/a"); err != nil || string(e.Value) != "2" {
		t.Fatalf("the present: %+v, %v", e, err)
	}
}

func TestTheMemberTellsItsTerm(t *testing.T) {
	client := member(t)
	want, err := client.Status(t.Context(), client.Endpoints()[0])
	if err != nil {
		t.Fatal(err)
	}
	if got, err := etcd.MemberTerm(t.Context(), client); err != nil || got != want.RaftTerm || got == 0 {
		t.Errorf("term %d, %v; the member's own Status says %d", got, err, want.RaftTerm)
	}
}
