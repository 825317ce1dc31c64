package supervisor

import (
	"context"
	"sync"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/roster"
)

// stages of stopping. Whoever writes a farewell to the API, as leaders do who release their Leases, goes before the apiserver, which goes before
// the etcd that it writes to; the balancer leads them there until the end, and the runtime holds what ran on it.
const (
	writers = iota
	apiserver
	storage
	way
	runtime
	allStages
)

func stageOf(e roster.Entry) int {
	switch {
	case e.Runtime:
		return runtime
	case e.Name == "kube-apiserver":
		return apiserver
	case e.Name == "etcd":
		return storage
	case e.Name == roster.Balancer:
		return way
	}
	return writers
}

// inStages runs all entries. When ctx ends they stop stage by stage; how long an entry may take bounds its stage.
func inStages(ctx context.Context, entries []roster.Entry, run func(context.Context, roster.Entry)) {
	var running [allStages]sync.WaitGroup
	var stop [allStages]context.CancelFunc
	var contexts [allStages]context.Context
	for i := range contexts {
		contexts[i], stop[i] = context.WithCancel(context.WithoutCancel(ctx))
		defer stop[i]()
	}
	for _, e := range entries {
		stage := stageOf(e)
		running[stage].Go(func() { run(contexts[stage], e) })
	}
	<-ctx.Done()
	for i := range running {
		stop[i]()
		running[i].Wait()
	}
}
