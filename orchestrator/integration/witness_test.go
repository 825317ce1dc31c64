package integration

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// source is how one resource is listed and watched.
type source struct {
	resource string
	list     func(context.Context, kubernetes.Interface, metav1.ListOptions) (runtime.Object, error)
	watch    func(context.Context, kubernetes.Interface, metav1.ListOptions) (watch.Interface, error)
}

// sources are the resources that are witnessed.
var sources = []source{
	{"pods", func(ctx context.Context, c kubernetes.Interface, o metav1.ListOptions) (runtime.Object, error) {
		return c.CoreV1().Pods("").List(ctx, o)
	}, func(ctx context.Context, c kubernetes.Interface, o metav1.ListOptions) (watch.Interface, error) {
		return c.CoreV1().Pods("").Watch(ctx, o)
	}},
	{"replicasets", func(ctx context.Context, c kubernetes.Interface, o metav1.ListOptions) (runtime.Object, error) {
		return c.AppsV1().ReplicaSets("").List(ctx, o)
	}, func(ctx context.Context, c kubernetes.Interface, o metav1.ListOptions) (watch.Interface, error) {
		return c.AppsV1().ReplicaSets("").Watch(ctx, o)
	}},
	{"configmaps", func(ctx context.Context, c kubernetes.Interface, o metav1.ListOptions) (runtime.Object, error) {
		return c.CoreV1().ConfigMaps("").List(ctx, o)
	}, func(ctx context.Context, c kubernetes.Interface, o metav1.ListOptions) (watch.Interface, error) {
		return c.CoreV1().ConfigMaps("").Watch(ctx, o)
	}},
}

// event is what a watch said, as far as it is judged.
type event struct {
	kind    watch.EventType
	version uint64
	uid     types.UID
	name    string
	node    string
	phase   core.PodPhase
}

func (e event) String() string { return fmt.Sprintf("%s %s at %d", e.kind, e.name, e.version) }

// witness holds one watch of one resource at one apiserver from a list on, and never resumes it.
type witness struct {
	resource, server string
	// start is what the list said: the versions of what was there.
	start map[types.UID]event
	watch watch.Interface

	mu     sync.Mutex
	events []event
	broken string
	ended  chan struct{}
}

// newWitnesses opens a watch of every source at every apiserver.
func newWitnesses(ctx context.Context, t *testing.T, p *plane) []*witness {
	t.Helper()
	var all []*witness
	for _, server := range p.apis {
		client := p.admin(t, server)
		for _, s := range sources {
			w := &witness{resource: s.resource, server: server, start: map[types.UID]event{}, ended: make(chan struct{})}
			if err := w.open(ctx, client, s); err != nil {
				t.Fatalf("watch %s at %s: %v", s.resource, server, err)
			}
			all = append(all, w)
		}
	}
	return all
}

func (w *witness) open(ctx context.Context, client kubernetes.Interface, s source) error {
	list, err := s.list(ctx, client, metav1.ListOptions{})
	if err != nil {
		return err
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return err
	}
	for _, item := range items {
		e, err := newEvent(watch.Event{Type: watch.Added, Object: item})
		if err != nil {
			return err
		}
		w.start[e.uid] = e
	}
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return err
	}
	long := int64(3600)
	if w.watch, err = s.watch(ctx, client, metav1.ListOptions{ResourceVersion: accessor.GetResourceVersion(), TimeoutSeconds: &long}); err != nil {
		return err
	}
	go w.record()
	return nil
}

func newEvent(said watch.Event) (event, error) {
	object, err := meta.Accessor(said.Object)
	if err != nil {
		return event{}, fmt.Errorf("%s of %T: %w", said.Type, said.Object, err)
	}
	version, err := strconv.ParseUint(object.GetResourceVersion(), 10, 64)
	if err != nil {
		return event{}, fmt.Errorf("version of %s: %w", object.GetName(), err)
	}
	e := event{kind: said.Type, version: version, uid: object.GetUID(), name: object.GetNamespace() + "/" + object.GetName()}
	if pod, ok := said.Object.(*core.Pod); ok {
		e.node, e.phase = pod.Spec.NodeName, pod.Status.Phase
	}
	return e, nil
}

// record notes events until the watch ends.
func (w *witness) record() {
	defer close(w.ended)
	for said := range w.watch.ResultChan() {
		e, err := newEvent(said)
		w.mu.Lock()
		if err != nil {
			w.broken = fmt.Sprintf("%v: %v", err, said.Object)
		} else {
			w.events = append(w.events, e)
		}
		w.mu.Unlock()
	}
}

// seen is what was noted until now.
func (w *witness) seen() (events []event, broken string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events), w.broken
}

// held fails when the apiserver ended the watch.
func (w *witness) held(t *testing.T) {
	t.Helper()
	select {
	case <-w.ended:
		_, broken := w.seen()
		t.Errorf("the watch of %s at %s did not hold: %s", w.resource, w.server, broken)
	default:
	}
}

func (w *witness) stop() {
	w.watch.Stop()
	<-w.ended
}

// judge checks what one watch said by itself, and returns what it leaves behind: the objects that are there.
func (w *witness) judge(t *testing.T) map[types.UID]event {
	t.Helper()
	events, broken := w.seen()
	if broken != "" {
		t.Errorf("%s at %s: %s", w.resource, w.server, broken)
	}
	there, last := maps.Clone(w.start), uint64(0)
	for _, e := range events {
		if e.version <= last {
			t.Errorf("%s at %s: %v after version %d", w.resource, w.server, e, last)
		}
		last = e.version
		before, known := there[e.uid]
		if known == (e.kind == watch.Added) {
			t.Errorf("%s at %s: %v, but it is known: %v", w.resource, w.server, e, known)
		}
		if known && before.node != "" && before.node != e.node {
			t.Errorf("%s at %s: %v: bound to %s, then to %q", w.resource, w.server, e, before.node, e.node)
		}
		there[e.uid] = e
		if e.kind == watch.Deleted {
			delete(there, e.uid)
		}
	}
	return there
}

// judgeTogether: watches of one resource at different apiservers said the same, from the newest start on.
func judgeTogether(t *testing.T, all []*witness) {
	t.Helper()
	for _, s := range sources {
		var first *witness
		for _, w := range all {
			switch {
			case w.resource != s.resource:
			case first == nil:
				first = w
			default:
				same(t, first, w)
			}
		}
	}
}

// same compares what two watches said after the later of their first versions.
func same(t *testing.T, a, b *witness) {
	t.Helper()
	one, _ := a.seen()
	other, _ := b.seen()
	if len(one) == 0 || len(other) == 0 {
		t.Errorf("%s: %d events at %s, %d at %s", a.resource, len(one), a.server, len(other), b.server)
		return
	}
	from := max(one[0].version, other[0].version)
	old := func(e event) bool { return e.version < from }
	one, other = slices.DeleteFunc(one, old), slices.DeleteFunc(other, old)
	for i := range min(len(one), len(other)) {
		if one[i] != other[i] {
			t.Errorf("%s: event %d is %v at %s and %v at %s", a.resource, i, one[i], a.server, other[i], b.server)
			return
		}
	}
	if len(one) != len(other) {
		t.Errorf("%s: %d events at %s, %d at %s", a.resource, len(one), a.server, len(other), b.server)
	}
}
