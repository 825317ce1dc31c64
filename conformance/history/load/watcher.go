package load

import (
	"context"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// watcher is one client that follows every event.
type watcher struct {
	load *Load
	maps typedv1.ConfigMapInterface
	seen history.Watch
	last int64
}

// watch follows from version from until ctx ends, and leaves what it saw in the history. A watch that ends is resumed from its last event.
func (l *Load) watch(ctx context.Context, path string, maps typedv1.ConfigMapInterface, from int64) {
	w := &watcher{load: l, maps: maps, seen: history.Watch{Client: path, From: from}, last: from}
	tick := time.NewTicker(target.Poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := w.follow(ctx); expired(err) {
			w.again(ctx)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.history.Watches = append(l.history.Watches, w.seen)
}

func expired(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }

// follow is one connection. It returns the error that the server sent, if any.
func (w *watcher) follow(ctx context.Context) error {
	events, err := w.maps.Watch(ctx, metav1.ListOptions{ResourceVersion: strconv.FormatInt(w.last, 10)})
	if err != nil {
		return err
	}
	defer events.Stop()
	for e := range events.ResultChan() {
		if e.Type == watch.Error {
			return apierrors.FromObject(e.Object)
		}
		if m, ok := e.Object.(*corev1.ConfigMap); ok && Ours(m) {
			if err := w.note(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// Ours tells whether a load wrote an object: every namespace has others.
func Ours(m *corev1.ConfigMap) bool { return m.Data[dataKey] != "" }

// EventOf is what an object of a load tells whoever watches.
func EventOf(m *corev1.ConfigMap) (history.Event, error) {
	v, err := version(m.ResourceVersion)
	return history.Event{Key: m.Name, Value: m.Data[dataKey], Version: v}, err
}

func (w *watcher) note(m *corev1.ConfigMap) error {
	e, err := EventOf(m)
	if err != nil {
		return err
	}
	w.seen.Events = append(w.seen.Events, e)
	w.reached(e.Version)
	return nil
}

// reached: the watch stands at v. It may go back: to resume from there is what a real client would do, and for the judge to find.
func (w *watcher) reached(v int64) {
	w.last = v
	w.load.mu.Lock()
	defer w.load.mu.Unlock()
	w.load.seen[w.seen.Client] = v
}

// again lists anew after the server has forgotten the last version, and notes the gap.
func (w *watcher) again(ctx context.Context) {
	list, err := w.maps.List(ctx, metav1.ListOptions{})
	if err != nil {
		return // resumed, refused and listed again at the next turn
	}
	to, err := version(list.ResourceVersion)
	if err != nil {
		return
	}
	w.seen.Gaps = append(w.seen.Gaps, history.Gap{From: w.last, To: to})
	w.reached(to)
}
