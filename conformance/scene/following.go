package scene

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// object is what can be followed.
type object interface {
	comparable
	metav1.Object
}

// Following is a watch of an app's objects: every state that the API shows is looked at, those between two looks of a poll too.
type Following[T object] struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	list   func(context.Context) ([]T, string, error)

	mu   sync.Mutex
	now  map[string]T
	seen int
	err  error
}

// FollowPods follows the pods of an app. look gets all of them, first as they are and then at each change.
func (s *Scene) FollowPods(ctx context.Context, app string, look func([]*corev1.Pod)) *Following[*corev1.Pod] {
	ginkgo.GinkgoHelper()
	options, pods := metav1.ListOptions{LabelSelector: "app=" + app}, s.API.CoreV1().Pods(s.Namespace)
	list := func(ctx context.Context) (all []*corev1.Pod, version string, err error) {
		found, err := pods.List(ctx, options)
		if err != nil {
			return nil, "", err
		}
		for i := range found.Items {
			all = append(all, &found.Items[i])
		}
		return all, found.ResourceVersion, nil
	}
	return following(ctx, list, pods.Watch, options, look)
}

// FollowSets follows the ReplicaSets of an app in the same way.
func (s *Scene) FollowSets(ctx context.Context, app string, look func([]*appsv1.ReplicaSet)) *Following[*appsv1.ReplicaSet] {
	ginkgo.GinkgoHelper()
	options, sets := metav1.ListOptions{LabelSelector: "app=" + app}, s.API.AppsV1().ReplicaSets(s.Namespace)
	list := func(ctx context.Context) (all []*appsv1.ReplicaSet, version string, err error) {
		found, err := sets.List(ctx, options)
		if err != nil {
			return nil, "", err
		}
		for i := range found.Items {
			all = append(all, &found.Items[i])
		}
		return all, found.ResourceVersion, nil
	}
	return following(ctx, list, sets.Watch, options, look)
}

type watching func(context.Context, metav1.ListOptions) (watch.Interface, error)

func following[T object](ctx context.Context, list func(context.Context) ([]T, string, error), watches watching, options metav1.ListOptions, look func([]T)) *Following[T] {
	ginkgo.GinkgoHelper()
	f := &Following[T]{list: list, now: map[string]T{}}
	all, version, err := list(ctx)
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "what is there before it is followed")
	for _, each := range all {
		f.now[each.GetName()] = each
	}
	ctx, f.cancel = context.WithCancel(ctx)
	events, err := watchtools.NewRetryWatcherWithContext(ctx, version, &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, from metav1.ListOptions) (watch.Interface, error) {
			from.LabelSelector = options.LabelSelector
			return watches(ctx, from)
		},
	})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	look(f.present())
	f.done.Go(func() { f.read(events.ResultChan(), look) })
	ginkgo.DeferCleanup(func() { f.end() })
	return f
}

func (f *Following[T]) read(events <-chan watch.Event, look func([]T)) {
	for e := range events {
		each, ok := e.Object.(T)
		f.mu.Lock()
		switch {
		case e.Type == watch.Error:
			f.err = errors.Join(f.err, fmt.Errorf("the watch failed: %w", apierrors.FromObject(e.Object)))
		case e.Type == watch.Bookmark || !ok:
		case e.Type == watch.Deleted:
			delete(f.now, each.GetName())
			f.seen++
		default:
			f.now[each.GetName()] = each
			f.seen++
		}
		present := f.present()
		f.mu.Unlock()
		look(present)
	}
}

// present are the objects by name; the lock is held, or nobody reads yet.
func (f *Following[T]) present() (all []T) {
	for _, name := range slices.Sorted(maps.Keys(f.now)) {
		all = append(all, f.now[name])
	}
	return all
}

func (f *Following[T]) end() {
	f.cancel()
	f.done.Wait()
}

// Stop returns how many changes were seen, once that are all until now. A watch that failed has missed some: that fails the spec.
func (f *Following[T]) Stop(ctx context.Context) int {
	ginkgo.GinkgoHelper()
	gomega.Eventually(ctx, func(ctx context.Context) error {
		all, _, err := f.list(ctx)
		if err != nil {
			return err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.err != nil {
			return gomega.StopTrying(f.err.Error())
		}
		behind := len(all) != len(f.now)
		for _, each := range all {
			followed, there := f.now[each.GetName()]
			behind = behind || !there || followed.GetResourceVersion() != each.GetResourceVersion()
		}
		if behind {
			return errors.New("the watch has not shown all that is listed")
		}
		return nil
	}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(gomega.Succeed())
	f.end()
	return f.seen
}

// Lasting notes what is wrong with a state only if it stays so: between two changes of one step there are states that nobody meant.
type Lasting struct {
	// For is how long it may stay.
	For   time.Duration
	since time.Time
	what  string
	// Wrong is what stayed too long.
	Wrong []string
}

// See is told what is wrong now, or nothing.
func (l *Lasting) See(now time.Time, wrong string) {
	if !l.since.IsZero() && now.Sub(l.since) > l.For {
		l.Wrong = append(l.Wrong, fmt.Sprintf("%s, for %s", l.what, now.Sub(l.since).Round(time.Millisecond)))
		l.since = time.Time{}
	}
	switch {
	case wrong == "":
		l.since = time.Time{}
	case l.since.IsZero():
		l.since, l.what = now, wrong
	}
}
