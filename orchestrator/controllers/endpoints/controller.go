package endpoints

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop *loop.Loop
	// bereaved are the keys of Endpoints that are to follow their Service: it was seen to go, or was gone when this began.
	bereaved sync.Map
}

// Run writes Endpoints until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("endpoint"), w.Logger, c.sync)
	loop.On(c.loop, w.Informers.Core().V1().Services().Informer(), func(old, new *core.Service) {
		if new == nil {
			c.bereave(old)
			return
		}
		c.loop.Add(loop.Key(new))
	})
	loop.Keys[core.Endpoints](c.loop, w.Informers.Core().V1().Endpoints().Informer())
	Pods(c.loop, w)
	if !cache.WaitFor(ctx, "", w.Informers.Core().V1().Services().Informer().HasSyncedChecker(), w.Informers.Core().V1().Endpoints().Informer().HasSyncedChecker()) {
		return nil
	}
	left, err := w.Informers.Core().V1().Endpoints().Lister().List(labels.Everything())
	if err != nil {
		return err
	}
	for _, e := range left {
		if !Lock(e) {
			c.bereave(e)
		}
	}
	return c.loop.Run(ctx)
}

// bereave notes that Endpoints must not outlive their Service. Those that somebody writes before their Service stay: nobody has deleted one.
func (c *controller) bereave(o meta.Object) {
	c.bereaved.Store(loop.Key(o), true)
	c.loop.Add(loop.Key(o))
}

// Pods wakes the Services of a pod that changes in what an endpoint shows of it.
func Pods(l *loop.Loop, w *world.World) {
	services := w.Informers.Core().V1().Services().Lister()
	loop.On(l, w.Informers.Core().V1().Pods().Informer(), func(old, new *core.Pod) {
		if old != nil && new != nil && same(old, new) {
			return
		}
		for _, p := range []*core.Pod{old, new} {
			if p == nil || old != nil && p == new && maps.Equal(old.Labels, new.Labels) {
				continue
			}
			all, err := services.Services(p.Namespace).List(labels.Everything())
			if err != nil {
				continue
			}
			for _, s := range all {
				if len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(p.Labels)) {
					l.Add(loop.Key(s))
				}
			}
		}
	})
}

func same(a, b *core.Pod) bool {
	return a.UID == b.UID && pods.Ready(a) == pods.Ready(b) && a.Status.Phase == b.Status.Phase && a.DeletionTimestamp.Equal(b.DeletionTimestamp) &&
		a.Spec.NodeName == b.Spec.NodeName && maps.Equal(a.Labels, b.Labels) && equality.Semantic.DeepEqual(a.Status.PodIPs, b.Status.PodIPs)
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	s, err := c.Informers.Core().V1().Services().Lister().Services(namespace).Get(name)
	existing, getErr := c.Informers.Core().V1().Endpoints().Lister().Endpoints(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		if getErr != nil {
			existing = nil
		}
		return c.follow(ctx, key, existing)
	}
	c.bereaved.Delete(key)
	if err != nil {
		return err
	}
	if len(s.Spec.Selector) == 0 || s.Spec.Type == core.ServiceTypeExternalName {
		return nil
	}
	mine, err := c.Informers.Core().V1().Pods().Lister().Pods(namespace).List(labels.SelectorFromSet(s.Spec.Selector))
	if err != nil {
		return err
	}
	if getErr != nil && !apierrors.IsNotFound(getErr) {
		return getErr
	}
	if getErr != nil {
		existing = nil
	}
	return c.write(ctx, s, mine, existing)
}

// follow takes the Endpoints of a Service that is gone away.
func (c *controller) follow(ctx context.Context, key string, left *core.Endpoints) error {
	_, gone := c.bereaved.Load(key)
	if left != nil && (gone || left.Labels[managedBy] == manager) {
		err := c.Client.CoreV1().Endpoints(left.Namespace).Delete(ctx, left.Name, meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions(string(left.UID))})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete endpoints %s of a service that is gone: %w", key, err)
		}
	}
	c.bereaved.Delete(key)
	return nil
}

// write the Endpoints of a Service; existing is nil when there are none.
func (c *controller) write(ctx context.Context, s *core.Service, mine []*core.Pod, existing *core.Endpoints) error {
	api := c.Client.CoreV1().Endpoints(s.Namespace)
	next, full := subsets(s, mine)
	if existing == nil {
		made := &core.Endpoints{ObjectMeta: meta.ObjectMeta{Namespace: s.Namespace, Name: s.Name, Labels: labelsOf(s)}, Subsets: next}
		annotate(made, s, full)
		_, err := api.Create(ctx, made, meta.CreateOptions{})
		if apierrors.HasStatusCause(err, core.NamespaceTerminatingCause) {
			return nil
		}
		return err
	}
	_, was := existing.Annotations[overfilled]
	if equality.Semantic.DeepEqual(existing.Subsets, next) && maps.Equal(existing.Labels, labelsOf(s)) && was == full {
		return nil
	}
	existing = existing.DeepCopy()
	existing.Subsets, existing.Labels = next, labelsOf(s)
	annotate(existing, s, full)
	_, err := api.Update(ctx, existing, meta.UpdateOptions{})
	return err
}

func annotate(e *core.Endpoints, s *core.Service, full bool) {
	if e.Annotations == nil {
		e.Annotations = map[string]string{}
	}
	delete(e.Annotations, overfilled)
	if full {
		e.Annotations[overfilled] = overFull
	}
	when := time.Now()
	if len(e.Subsets) == 0 && e.UID == "" {
		when = s.CreationTimestamp.Time
	}
	e.Annotations[core.EndpointsLastChangeTriggerTime] = when.UTC().Format(time.RFC3339)
}
