// Package load is clients at work while a cluster is broken: for each path to the API - every apiserver by itself, and the balancer - one
// writer, one reader and one watcher, whose every call and event go into a history.History.
//
// It is fed clients by path and feeds history's judges. Calls are not retried: a call without an answer is recorded as just that.
package load

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// registers is how many keys all writers fight over.
const registers = 8

// pace is the time between the beginnings of a client's calls: a load that shows, on a machine that runs the whole cluster.
const pace = 15 * time.Millisecond

// Load is one run.
type Load struct {
	namespace string
	paths     map[string]kubernetes.Interface
	start     time.Time
	stop      context.CancelFunc
	working   sync.WaitGroup
	watching  sync.WaitGroup
	stopWatch context.CancelFunc

	mu      sync.Mutex
	phase   string
	history history.History
	// newest is the highest version that any client was told.
	newest int64
	// seen is how far each watcher has come.
	seen map[string]int64
	// bursts counts them: their keys differ.
	bursts int
}

// Start makes the registers and sets all clients to work, in phase "before". Paths are named by what leads to the API.
func Start(ctx context.Context, namespace string, paths map[string]kubernetes.Interface) (*Load, error) {
	l := &Load{namespace: namespace, paths: paths, start: time.Now(), phase: "before", seen: map[string]int64{}}
	ctx = context.WithoutCancel(ctx) // the caller ends a load by Stop
	work, stop := context.WithCancel(ctx)
	watch, stopWatch := context.WithCancel(ctx)
	l.stop, l.stopWatch = stop, stopWatch
	from, err := l.prepare(ctx)
	if err != nil {
		l.end()
		return nil, fmt.Errorf("prepare the load: %w", err)
	}
	for path, api := range paths {
		maps := api.CoreV1().ConfigMaps(namespace)
		l.working.Go(func() { l.write(work, path, maps) })
		l.working.Go(func() { l.read(work, path, maps) })
		l.watching.Go(func() { l.watch(watch, path, maps, from) })
	}
	return l, nil
}

// end stops every goroutine.
func (l *Load) end() {
	l.stop()
	l.working.Wait()
	l.stopWatch()
	l.watching.Wait()
}

// prepare creates the registers and returns the version before the first of them.
func (l *Load) prepare(ctx context.Context) (from int64, err error) {
	for _, api := range l.paths {
		maps := api.CoreV1().ConfigMaps(l.namespace)
		list, err := maps.List(ctx, metav1.ListOptions{})
		if err != nil {
			return 0, err
		}
		for i := range registers {
			call := l.do(ctx, "setup", history.Call{Op: history.Create, Key: register(i), Value: fmt.Sprintf("first-%d", i)}, maps)
			if call.Outcome != history.OK {
				return 0, fmt.Errorf("create %s: %s", call.Key, call.Error)
			}
		}
		return version(list.ResourceVersion)
	}
	return 0, fmt.Errorf("no path to the API")
}

func register(i int) string { return fmt.Sprintf("register-%d", i%registers) }

// Enter names the phase of the calls that begin from now on.
func (l *Load) Enter(phase string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phase = phase
}

// Began is the moment that the times of all calls are counted from.
func (l *Load) Began() time.Time { return l.start }

// Client is the one of a path. Its connections notice a dead server soon.
func (l *Load) Client(path string) kubernetes.Interface { return l.paths[path] }

// Calls are those that have ended so far.
func (l *Load) Calls() []history.Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.history.Calls)
}

// Count the calls of a phase so far.
func (l *Load) Count(phase string) history.Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.history.Count(phase)
}

// Acknowledged counts the acknowledged writes of a phase by path.
func (l *Load) Acknowledged(phase string) map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := map[string]int{}
	for _, c := range l.history.Calls {
		if c.Phase == phase && c.Outcome == history.OK && (c.Op == history.Create || c.Op == history.Put) {
			counts[c.Client]++
		}
	}
	return counts
}

// Reached tells what a phase still lacks: it must have had that many calls, and each of paths an acknowledged write in it. Nil when it lacks nothing.
func (l *Load) Reached(phase string, want history.Counts, paths []string) error {
	have := l.Count(phase)
	if have.Attempted < want.Attempted || have.Acknowledged < want.Acknowledged {
		return fmt.Errorf("phase %q: %+v of %+v", phase, have, want)
	}
	served := l.Acknowledged(phase)
	for _, path := range paths {
		if served[path] == 0 {
			return fmt.Errorf("phase %q: no write through %s was acknowledged", phase, path)
		}
	}
	return nil
}

// Stop ends the load: a last write marks the end, every register is read once more, all that is stored is listed, and the watchers get until
// ctx ends to come as far. Watches that do not are for the judge to see.
func (l *Load) Stop(ctx context.Context) (history.History, error) {
	l.stop()
	l.working.Wait()
	defer l.end()
	maps := l.paths[Balancer].CoreV1().ConfigMaps(l.namespace)
	mark := l.do(ctx, Balancer, history.Call{Op: history.Create, Key: "mark", Value: "mark"}, maps)
	if mark.Outcome != history.OK {
		return l.history, fmt.Errorf("the last write: %s", mark.Error)
	}
	for i := range registers {
		l.do(ctx, Balancer, history.Call{Op: history.Get, Key: register(i)}, maps)
	}
	final, err := Stored(ctx, maps)
	if err != nil {
		return l.history, err
	}
	l.awaitWatchers(ctx, mark.Version)
	l.stopWatch()
	l.watching.Wait()
	h := l.history
	h.End, h.Final = mark.Version, final
	return h, nil
}

// Stored lists what loads have stored in a namespace.
func Stored(ctx context.Context, maps typedv1.ConfigMapInterface) (map[string]history.Stored, error) {
	list, err := maps.List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list what is stored: %w", err)
	}
	final := map[string]history.Stored{}
	for _, m := range list.Items {
		if !Ours(&m) {
			continue
		}
		e, err := EventOf(&m)
		if err != nil {
			return nil, err
		}
		final[e.Key] = history.Stored{Value: e.Value, Version: e.Version}
	}
	return final, nil
}

func (l *Load) awaitWatchers(ctx context.Context, end int64) {
	tick := time.NewTicker(target.Poll)
	defer tick.Stop()
	for !l.allSaw(end) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (l *Load) allSaw(end int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for path := range l.paths {
		if l.seen[path] < end {
			return false
		}
	}
	return true
}

// Abandon ends the load without a judgement; after Stop it does nothing.
func (l *Load) Abandon() { l.end() }
