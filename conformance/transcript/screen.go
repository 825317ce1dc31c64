package transcript

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
)

// screen is what a running command has shown so far. Readers wait for more of it.
type screen struct {
	mu sync.Mutex
	// text only grows; found is how much of it earlier expectations have consumed, at most len(text).
	text   []byte
	found  int
	closed bool
	// more is closed, and replaced, whenever text grows.
	more chan struct{}
}

func newScreen() *screen { return &screen{more: make(chan struct{})} }

// Write adds output.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, p...)
	close(s.more)
	s.more = make(chan struct{})
	return len(p), nil
}

// follow copies output until its end.
func (s *screen) follow(output io.Reader) {
	_, _ = io.Copy(s, output) // a terminal ends with EIO: its end all the same
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	close(s.more)
	s.more = make(chan struct{})
}

// expect waits for text beyond what was found before.
func (s *screen) expect(ctx context.Context, text string) error {
	for {
		found, closed, more := s.look(text)
		switch {
		case found:
			return nil
		case closed:
			return fmt.Errorf("the command ended without %q", text)
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fmt.Errorf("wait for %q: %w", text, context.Cause(ctx))
		}
	}
}

func (s *screen) look(text string) (found, closed bool, more <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := strings.Index(string(s.text[s.found:]), text); at >= 0 {
		s.found += at + len(text)
		return true, s.closed, s.more
	}
	return false, s.closed, s.more
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}
