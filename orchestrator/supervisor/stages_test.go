package supervisor

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/roster"
)

// Leaders that were told to stop together with the apiserver raced it with the release of their Leases.
func TestANodeStopsInStages(t *testing.T) {
	entries := []roster.Entry{
		{Name: "containerd", Runtime: true}, {Name: roster.Balancer}, {Name: "etcd"}, {Name: "kube-apiserver"}, {Name: "kube-scheduler"},
		{Name: "kube-controller-manager"},
	}
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var told []string
	var started sync.WaitGroup
	started.Add(len(entries))
	done := make(chan struct{})
	go func() {
		defer close(done)
		inStages(ctx, entries, func(ctx context.Context, e roster.Entry) {
			started.Done()
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			told = append(told, e.Name)
		})
	}()
	started.Wait()
	cancel()
	<-done
	slices.Sort(told[:2])
	if got, want := strings.Join(told, " "), "kube-controller-manager kube-scheduler kube-apiserver etcd "+roster.Balancer+" containerd"; got != want {
		t.Errorf("stopped are %s, not %s", got, want)
	}
}
