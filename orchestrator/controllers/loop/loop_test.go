package loop

import (
	"context"
	"log/slog"
	"testing"

	"go.uber.org/goleak"
)

// A controller whose term ends while it still waits for its caches never runs its loop.
func TestALoopThatNeverRanEndsWithItsContext(t *testing.T) {
	before := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(t.Context())
	l := New(ctx, 1, slog.New(slog.DiscardHandler), nil)
	l.Add("n/a")
	cancel()
	goleak.VerifyNone(t, before)
}
