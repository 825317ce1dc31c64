// Package loop runs a level-triggered controller: events of informers become keys, keys become calls of one sync function, failures are tried again.
//
// It is fed by shared informers and feeds a controller's sync. It knows no kind and writes nothing.
package loop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
)

// Sync brings the object of a key nearer to what it should be. It must be idempotent; a key is never synced twice at the same time.
type Sync func(ctx context.Context, key string) error

// Loop of one controller.
type Loop struct {
	queue   workqueue.TypedRateLimitingInterface[string]
	sync    Sync
	workers int
	logger  *slog.Logger
	sources []source
}

type source struct {
	informer cache.SharedIndexInformer
	handler  cache.ResourceEventHandler
}

// New makes a loop with that many workers. Its queue ends with ctx, whether the loop ran by then or not.
func New(ctx context.Context, workers int, logger *slog.Logger, sync Sync) *Loop {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](5*time.Millisecond, 60*time.Second)
	l := &Loop{queue: workqueue.NewTypedRateLimitingQueue(limiter), sync: sync, workers: max(workers, 1), logger: logger}
	context.AfterFunc(ctx, l.queue.ShutDown)
	return l
}

// Add asks for a sync of key.
func (l *Loop) Add(key string) { l.queue.Add(key) }

// After asks for a sync of key in d.
func (l *Loop) After(key string, d time.Duration) { l.queue.AddAfter(key, max(d, 0)) }

// On calls f for each change that the informer sees: an old and a new object, of which old is nil when it appeared and new when it went.
func On[T any](l *Loop, informer cache.SharedIndexInformer, f func(old, new *T)) {
	l.sources = append(l.sources, source{informer, cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { f(nil, any(obj).(*T)) },
		UpdateFunc: func(old, obj any) { f(any(old).(*T), any(obj).(*T)) },
		DeleteFunc: func(obj any) {
			if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = gone.Obj
			}
			if last, ok := obj.(*T); ok {
				f(last, nil)
			}
		},
	}})
}

// Keys asks for a sync of each object that changes.
func Keys[T any, P interface {
	*T
	meta.Object
}](l *Loop, informer cache.SharedIndexInformer) {
	On(l, informer, func(old, new *T) {
		if new == nil {
			new = old
		}
		l.Add(Key(P(new)))
	})
}

// Key is namespace/name, or the name of what has no namespace.
func Key(o meta.Object) string {
	if o.GetNamespace() == "" {
		return o.GetName()
	}
	return o.GetNamespace() + "/" + o.GetName()
}

// Split is the inverse of Key.
func Split(key string) (namespace, name string) {
	namespace, name, _ = cache.SplitMetaNamespaceKey(key)
	return namespace, name
}

// Run follows the sources and syncs until ctx ends. It returns when no sync runs any more.
func (l *Loop) Run(ctx context.Context) error {
	defer l.queue.ShutDown()
	var told []cache.DoneChecker
	for _, s := range l.sources {
		registration, err := s.informer.AddEventHandler(s.handler)
		if err != nil {
			return fmt.Errorf("follow: %w", err)
		}
		defer func() { _ = s.informer.RemoveEventHandler(registration) }()
		told = append(told, registration.HasSyncedChecker())
	}
	if !cache.WaitFor(ctx, "", told...) {
		return nil
	}
	stopped := context.AfterFunc(ctx, l.queue.ShutDown)
	defer stopped()
	var workers sync.WaitGroup
	for range l.workers {
		workers.Go(func() {
			for l.next(ctx) {
			}
		})
	}
	workers.Wait()
	return nil
}

func (l *Loop) next(ctx context.Context) bool {
	key, stop := l.queue.Get()
	if stop || ctx.Err() != nil {
		return false
	}
	defer l.queue.Done(key)
	err := l.sync(ctx, key)
	switch {
	case err == nil:
		l.queue.Forget(key)
	case ctx.Err() != nil:
		return false
	case apierrors.HasStatusCause(err, core.NamespaceTerminatingCause):
		l.queue.Forget(key) // nothing can be made there any more: what is left is taken away, and that is seen
	default:
		level := slog.LevelWarn
		if apierrors.IsConflict(err) || errors.Is(err, ErrStale) {
			level = logs.V(3) // the next try reads the newer version
		}
		l.logger.Log(ctx, level, "sync", "key", key, "error", err)
		l.queue.AddRateLimited(key)
	}
	return true
}

// ErrStale asks for another sync once the informers have caught up with our own writes.
var ErrStale = errors.New("the cache does not show our last write yet")
