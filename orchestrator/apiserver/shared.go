package apiserver

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// answerAge is how long one answer of the store serves everybody who asks for this process's health. Every balancer of the cluster asks each
	// apiserver several times a second, and each question was a round of the whole etcd quorum.
	answerAge = 250 * time.Millisecond
	// answerWait is how long who asks waits for the store. One that takes longer is as it was the last time: while etcd elects a leader this process
	// is no worse than any other, and a balancer must be told so before it holds the process, or the whole machine, for slow.
	answerWait = 50 * time.Millisecond
	// goodFor is how long the store may go without a good answer until it counts as lost.
	goodFor = 2 * time.Second
)

// errSlow: the store has not answered for longer than goodFor.
var errSlow = errors.New("the store does not answer")

// shared is a check that is made once for all who ask at about the same time.
type shared struct {
	ok  func(context.Context) error
	now func() time.Time

	mu sync.Mutex
	// answered and answer are of the last check that ended; good is when one last ended well.
	answered, good time.Time
	answer         error
	// running is closed when the check under way ends; nil when there is none.
	running chan struct{}
}

// check makes the check unless the last answer is young. Who asks meanwhile waits for it, a while; that the first of them hangs up changes nothing.
func (s *shared) check(ctx context.Context) error {
	s.mu.Lock()
	if !s.answered.IsZero() && s.now().Sub(s.answered) < answerAge {
		defer s.mu.Unlock()
		return s.answer
	}
	if s.running == nil {
		s.running = make(chan struct{})
		go s.ask(context.WithoutCancel(ctx), s.running)
	}
	running := s.running
	s.mu.Unlock()
	timer := time.NewTimer(answerWait)
	defer timer.Stop()
	select {
	case <-running:
	case <-timer.C:
	}
	return s.known()
}

func (s *shared) ask(ctx context.Context, ended chan struct{}) {
	err := s.ok(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.answered = err, s.now()
	if err == nil {
		s.good = s.answered
	}
	s.running = nil
	close(ended)
}

// known is the last answer, or, while one is awaited, whether the last good one is old.
func (s *shared) known() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.running == nil:
		return s.answer
	case s.now().Sub(s.good) < goodFor:
		return nil
	case s.answer != nil:
		return s.answer
	}
	return errSlow
}
