package balancer

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	refused, nothing, not := fmt.Errorf("dial: %w", syscall.ECONNREFUSED), errors.New("timeout"), fmt.Errorf("500: %w", errUnready)
	busy := fmt.Errorf("%w: %w", errBusy, nothing)
	for _, row := range []struct {
		name   string
		probes []error
		want   state
	}{
		{"one lost answer is forgiven", []error{nothing}, ready},
		{"two are not", []error{nothing, nothing}, silent},
		{"a refused connection is certain", []error{refused}, silent},
		{"one answer that it is not ready is forgiven", []error{not}, ready},
		{"two are not", []error{not, not}, unready},
		{"it falls silent after that", []error{not, not, nothing}, silent},
		{"one that sends is busy", []error{busy, busy, busy, busy}, ready},
		{"but not for ever", []error{busy, busy, busy, busy, busy, busy}, silent},
		{"nor when it sends no more", []error{busy, nothing, nothing}, silent},
		{"one that was silent is not ready by sending", []error{nothing, nothing, busy}, silent},
		{"an answer makes it as new", []error{busy, busy, busy, nil, busy, busy, busy, busy}, ready},
		{"it comes back", []error{nothing, nothing, nil}, ready},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := judge{cfg: Config{Interval: time.Second, Timeout: time.Second}, state: ready}
			now := time.Unix(1000, 0)
			got := ready
			for _, err := range row.probes {
				got, _ = j.take(err, now, now)
			}
			if got != row.want {
				t.Errorf("%v, want %v", got, row.want)
			}
		})
	}
}

func TestPatienceFollowsTheAnswers(t *testing.T) {
	j := judge{cfg: Config{Timeout: 300 * time.Millisecond}}
	now := time.Unix(1000, 0)
	take := func(took time.Duration) { j.take(nil, now, now.Add(took)) }
	take(time.Millisecond)
	if got := j.patience(); got != 300*time.Millisecond {
		t.Errorf("after a fast answer: %v", got)
	}
	take(150 * time.Millisecond)
	if got := j.patience(); got != 600*time.Millisecond {
		t.Errorf("after a slow answer: %v", got)
	}
	take(900 * time.Millisecond)
	if got := j.patience(); got != 1200*time.Millisecond {
		t.Errorf("after a very slow answer: %v", got)
	}
	for range 30 {
		take(time.Millisecond)
	}
	if got := j.patience(); got != 300*time.Millisecond {
		t.Errorf("when answers are fast again: %v", got)
	}
}

func TestHopelessAfterTwoSecondsOfNotReady(t *testing.T) {
	j := judge{state: ready}
	now := time.Unix(1000, 0)
	for range 3 {
		j.take(errUnready, now, now)
	}
	if j.hopeless(now.Add(time.Second)) || !j.hopeless(now.Add(unreadyFor)) {
		t.Error("want hopeless after unreadyFor, not before")
	}
}
