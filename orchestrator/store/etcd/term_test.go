package etcd

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

func TestAWriteEndsWhenItsLeaderIsGone(t *testing.T) {
	for _, row := range []struct {
		name          string
		began, member uint64
		ends          bool
	}{
		{"the same leader, slowly", 4, 4, false},
		{"a new leader", 4, 5, true},
		{"no term was known when it began", 0, 5, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			ts := &terms{status: func(context.Context) (uint64, error) { return row.member, nil }}
			ts.raise(row.began)
			ctx, done := ts.guard(t.Context())
			defer done()
			limit := 3 * (slowWrite + grace)
			if row.ends {
				limit = time.Minute
			}
			select {
			case <-ctx.Done():
				if err := because(ctx, ctx.Err()); !row.ends || !errors.Is(err, errLeaderChanged) {
					t.Errorf("ended: %v", err)
				}
			case <-time.After(limit):
				if row.ends {
					t.Error("the write still waits")
				}
			}
		})
	}
}

func TestAWriteThatWaitedForALeaderIsGivenTimeToBeDone(t *testing.T) {
	ts := &terms{}
	ts.raise(4)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	ts.slow = map[*underway]struct{}{{term: 4, cancel: cancel}: {}}
	ts.raise(5)
	now := time.Unix(1000, 0)
	if ts.sort(now); ctx.Err() != nil {
		t.Error("ended at once")
	}
	if more := ts.sort(now.Add(grace)); more || ctx.Err() == nil {
		t.Error("did not end after its grace")
	}
}

func TestAWriteThatIsDoneInTimeAsksNothing(t *testing.T) {
	ts := &terms{status: func(context.Context) (uint64, error) { t.Error("asked"); return 0, nil }}
	_, done := ts.guard(t.Context())
	done()
	if ts.following {
		t.Error("followed")
	}
}

func TestAWriteThatEndsAsItsTimerFiresIsNotFollowed(t *testing.T) {
	terms := &terms{status: func(context.Context) (uint64, error) { t.Error("the member is asked"); return 1, nil }}
	w := &underway{}
	w.ended = true
	terms.watch(w)
	if terms.following || len(terms.slow) > 0 {
		t.Fatal("a write that is over is followed")
	}
}

// A member without a leader may answer late; another answer tells of the new term meanwhile.
func TestALostWriteEndsWhileTheMemberIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := &terms{status: func(ctx context.Context) (uint64, error) { <-ctx.Done(); return 0, ctx.Err() }}
		ts.raise(4)
		began := time.Now()
		ctx, done := ts.guard(t.Context())
		defer done()
		time.AfterFunc(slowWrite, func() { ts.answered(&pb.ResponseHeader{RaftTerm: 5}) })
		<-ctx.Done()
		if took := time.Since(began); took > slowWrite+grace+2*askTerm {
			t.Errorf("it ended after %v", took)
		}
	})
}
