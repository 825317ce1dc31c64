package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// errLeaderChanged: the member's leader was lost while a write was under way. A member that follows passes writes on, and never learns what became
// of one that it passed to a leader that died: etcd answers after six seconds that it does not know either.
var errLeaderChanged = errors.New("etcd's leader changed while the write was under way: whether it was done is not known")

const (
	// slowWrite is how long a write may take before the term is asked for, askTerm how often then, and askTimeout how long an answer may take.
	slowWrite  = 150 * time.Millisecond
	askTerm    = 25 * time.Millisecond
	askTimeout = time.Second
	// grace is for writes that waited for a leader, and are done as soon as there is one.
	grace = 100 * time.Millisecond
)

// terms ends writes whose leader is gone. A new leader has a new term, and every answer of the member tells the term: what a write that takes long
// was begun in is known, and whether that is over the member is asked, for all such writes together.
type terms struct {
	// status asks the member itself; it needs no quorum.
	status func(context.Context) (term uint64, err error)
	seen   atomic.Uint64

	mu sync.Mutex
	// slow are the writes that take long, with the term they were begun in.
	slow map[*underway]struct{}
	// following: follow runs.
	following bool
}

// underway is one write. over is when its term was first seen to have ended.
type underway struct {
	term   uint64
	cancel context.CancelCauseFunc
	over   time.Time
	// ended: done was called. Guarded by terms.mu, as over is.
	ended bool
}

// answered notes the term of an answer.
func (t *terms) answered(h *pb.ResponseHeader) {
	if h != nil {
		t.raise(h.RaftTerm)
	}
}

func (t *terms) raise(term uint64) {
	for {
		seen := t.seen.Load()
		if term <= seen || t.seen.CompareAndSwap(seen, term) {
			return
		}
	}
}

// guard returns a context that ends with errLeaderChanged when the leader that a write was begun under is gone. done ends the watch.
func (t *terms) guard(ctx context.Context) (guarded context.Context, done func()) {
	guarded, cancel := context.WithCancelCause(ctx)
	w := &underway{term: t.seen.Load(), cancel: cancel}
	timer := time.AfterFunc(slowWrite, func() { t.watch(w) })
	return guarded, func() {
		timer.Stop()
		t.mu.Lock()
		w.ended = true
		delete(t.slow, w)
		t.mu.Unlock()
		cancel(nil)
	}
}

// watch adds a write to those that take long, and sees that the member is asked while there are any.
func (t *terms) watch(w *underway) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.ended {
		return // it ended while the timer fired: nobody would take it off again
	}
	if t.slow == nil {
		t.slow = map[*underway]struct{}{}
	}
	t.slow[w] = struct{}{}
	if !t.following {
		t.following = true
		go t.follow()
	}
}

// follow sorts the writes that take long until there are none, and has the member asked beside that: while etcd elects a leader, an answer may take
// longer than the grace of the writes.
func (t *terms) follow() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go t.ask(ctx)
	tick := time.NewTicker(askTerm)
	defer tick.Stop()
	for t.sort(time.Now()) {
		<-tick.C
	}
}

// ask asks for the term, again and again.
func (t *terms) ask(ctx context.Context) {
	tick := time.NewTicker(askTerm)
	defer tick.Stop()
	for {
		one, cancel := context.WithTimeout(ctx, askTimeout)
		if term, err := t.status(one); err == nil {
			t.raise(term)
		}
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sort ends the writes of earlier terms; more is false when none is left that takes long.
func (t *terms) sort(now time.Time) (more bool) {
	term := t.seen.Load()
	t.mu.Lock()
	defer t.mu.Unlock()
	for w := range t.slow {
		// A write that was begun before any term was known is left to etcd's own time limit.
		switch {
		case w.term == 0 || w.term == term:
		case w.over.IsZero():
			w.over = now
		case now.Sub(w.over) >= grace:
			w.cancel(errLeaderChanged)
			delete(t.slow, w)
		}
	}
	t.following = len(t.slow) > 0
	return t.following
}

// because puts the reason for which a guarded context ended in place of the bare cancellation.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errLeaderChanged) {
		return fmt.Errorf("%w (%w)", cause, err)
	}
	return err
}
