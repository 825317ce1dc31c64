package apiserver

import (
	"context"
	"sync"
	"time"
)

// answerAge is how long one answer of the store serves everybody who asks for this process's health. Every balancer of the cluster asks each
// apiserver several times a second, and each question was a round of the whole etcd quorum.
const answerAge = 250 * time.Millisecond

// shared is a check that is made once for all who ask at about the same time.
type shared struct {
	ok  func(context.Context) error
	now func() time.Time

	mu       sync.Mutex
	answered time.Time
	answer   error
}

// check makes the check unless the last answer is young. Who asks meanwhile waits for it; that the first of them hangs up changes nothing.
func (s *shared) check(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered.IsZero() || s.now().Sub(s.answered) >= answerAge {
		s.answer = s.ok(context.WithoutCancel(ctx))
		s.answered = s.now()
	}
	return s.answer
}
