package backoff

import (
	"testing"
	"time"
)

func TestWaitsDoubleToTheMaximumAndAreForgotten(t *testing.T) {
	table, now := New(10*time.Second, 40*time.Second), time.Unix(1000, 0)
	for i, want := range []time.Duration{10, 20, 40, 40} {
		table.Next("k", now)
		if got := table.Wait("k", now); got != want*time.Second {
			t.Errorf("failure %d: wait %s, want %ds", i, got, want)
		}
	}
	if got := table.Remaining("k", time.Time{}, now.Add(15*time.Second)); got != 25*time.Second {
		t.Errorf("remaining %s, want 25s", got)
	}
	if got := table.Wait("k", now.Add(81*time.Second)); got != 0 {
		t.Errorf("after twice the maximum: wait %s", got)
	}
	table.Forget("k")
	if got := table.Wait("k", now); got != 0 {
		t.Errorf("forgotten: wait %s", got)
	}
}
