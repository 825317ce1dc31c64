package endpoints

import (
	"context"
	"maps"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// Run writes Endpoints until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	l := loop.New(ctx, w.Settings.WorkersOf("endpoint"), w.Logger, func(ctx context.Context, key string) error { return sync(ctx, w, key) })
	loop.Keys[core.Service](l, w.Informers.Core().V1().Services().Informer())
	loop.Keys[core.Endpoints](l, w.Informers.Core().V1().Endpoints().Informer())
	Pods(l, w)
	return l.Run(ctx)
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
	return a.UID == b.UID && ready(a) == ready(b) && a.Status.Phase == b.Status.Phase && a.DeletionTimestamp.Equal(b.DeletionTimestamp) &&
		a.Spec.NodeName == b.Spec.NodeName && maps.Equal(a.Labels, b.Labels) && equality.Semantic.DeepEqual(a.Status.PodIPs, b.Status.PodIPs)
}

func sync(ctx context.Context, w *world.World, key string) error {
	namespace, name := loop.Split(key)
	s, err := w.Informers.Core().V1().Services().Lister().Services(namespace).Get(name)
	existing, getErr := w.Informers.Core().V1().Endpoints().Lister().Endpoints(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		if getErr != nil || existing.Labels[managedBy] != manager {
			return nil
		}
		err := w.Client.CoreV1().Endpoints(namespace).Delete(ctx, name, meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions(string(existing.UID))})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	}
	if err != nil {
		return err
	}
	if len(s.Spec.Selector) == 0 || s.Spec.Type == core.ServiceTypeExternalName {
		return nil
	}
	mine, err := w.Informers.Core().V1().Pods().Lister().Pods(namespace).List(labels.SelectorFromSet(s.Spec.Selector))
	if err != nil {
		return err
	}
	next, full := subsets(s, mine)
	if apierrors.IsNotFound(getErr) {
		made := &core.Endpoints{ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: name, Labels: labelsOf(s)}, Subsets: next}
		annotate(made, s, full)
		_, err := w.Client.CoreV1().Endpoints(namespace).Create(ctx, made, meta.CreateOptions{})
		if apierrors.HasStatusCause(err, core.NamespaceTerminatingCause) {
			return nil
		}
		return err
	}
	if getErr != nil {
		return getErr
	}
	_, was := existing.Annotations[overfilled]
	if equality.Semantic.DeepEqual(existing.Subsets, next) && maps.Equal(existing.Labels, labelsOf(s)) && was == full {
		return nil
	}
	existing = existing.DeepCopy()
	existing.Subsets, existing.Labels = next, labelsOf(s)
	annotate(existing, s, full)
	_, err = w.Client.CoreV1().Endpoints(namespace).Update(ctx, existing, meta.UpdateOptions{})
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
