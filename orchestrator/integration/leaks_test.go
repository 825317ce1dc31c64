package integration

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// baseline is what ran before the cluster.
type baseline struct{ options []goleak.Option }

// forever are goroutines that live as long as the process by their library's design; no context reaches them.
var forever = []goleak.Option{
	// klog's flusher starts with the first import.
	goleak.IgnoreTopFunction("k8s.io/klog/v2.(*flushDaemon).run.func1"),
}

// goroutines notes what runs now.
func goroutines() baseline {
	return baseline{append([]goleak.Option{goleak.IgnoreCurrent()}, forever...)}
}

// nothingLeft fails with the stacks of goroutines that outlive the cluster. Connections take a moment to learn that their other end is gone.
func (b baseline) nothingLeft(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(shutdown)
	for {
		err := goleak.Find(b.options...)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
