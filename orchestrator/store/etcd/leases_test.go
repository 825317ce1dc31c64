package etcd

import (
	"context"
	"errors"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// slowGrants answers when it is told to, with what it is told.
type slowGrants struct {
	asked   chan struct{}
	answers chan error
}

func (s *slowGrants) Grant(ctx context.Context, _ int64) (*clientv3.LeaseGrantResponse, error) {
	s.asked <- struct{}{}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case err := <-s.answers:
		return &clientv3.LeaseGrantResponse{ID: 7}, err
	}
}

func TestAStalledGrantHoldsNobodyWhoGivesUp(t *testing.T) {
	member := &slowGrants{asked: make(chan struct{}, 10), answers: make(chan error)}
	l := &leases{granter: member, terms: &terms{status: func(context.Context) (uint64, error) { return 0, errors.New("down") }}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := l.of(ctx, time.Hour); ended <- err }()
	<-member.asked
	// Another joins the same grant, and gives up first.
	impatient, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if _, err := l.of(impatient, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("who gave up got %v", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("who asked for it got %v", err)
	}
	// The grant goes on, for those who still want it.
	go func() { _, err := l.of(t.Context(), time.Hour); ended <- err }()
	member.answers <- nil
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n := len(member.asked); n != 0 {
		t.Errorf("%d more grants were asked for", n)
	}
}

func TestAFailedGrantIsNotShared(t *testing.T) {
	member := &slowGrants{asked: make(chan struct{}, 10), answers: make(chan error, 1)}
	l := &leases{granter: member, terms: &terms{status: func(context.Context) (uint64, error) { return 0, errors.New("down") }}}
	failed := errors.New("no space")
	member.answers <- failed
	if _, err := l.of(t.Context(), time.Hour); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	member.answers <- nil
	if id, err := l.of(t.Context(), time.Hour); err != nil || id != 7 {
		t.Errorf("%d, %v", id, err)
	}
}
