// Package namespace empties a namespace that is being deleted, of every resource that discovery lists, and then lets it go.
//
// It owns the finalizer "kubernetes" in spec.finalizers and the deletion conditions of the namespace's status.
// Namespaces feed it; admission lets nothing new into one that is being deleted.
package namespace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop *loop.Loop
}

// Run empties namespaces until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("namespace"), w.Logger, c.sync)
	loop.On(c.loop, w.Informers.Core().V1().Namespaces().Informer(), func(_, new *core.Namespace) {
		if new != nil && new.DeletionTimestamp != nil {
			c.loop.Add(new.Name)
		}
	})
	return c.loop.Run(ctx)
}

func (c *controller) sync(ctx context.Context, name string) error {
	ns, err := c.Client.CoreV1().Namespaces().Get(ctx, name, meta.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if ns.DeletionTimestamp == nil || !slices.Contains(ns.Spec.Finalizers, core.FinalizerKubernetes) {
		return nil
	}
	if ns.Status.Phase != core.NamespaceTerminating {
		ns.Status.Phase = core.NamespaceTerminating
		if ns, err = c.Client.CoreV1().Namespaces().UpdateStatus(ctx, ns, meta.UpdateOptions{}); err != nil {
			return err
		}
	}
	f := c.empty(ctx, ns)
	status := *ns.Status.DeepCopy()
	f.conditions(&status, time.Now())
	if !equality.Semantic.DeepEqual(status, ns.Status) {
		ns.Status = status
		if ns, err = c.Client.CoreV1().Namespaces().UpdateStatus(ctx, ns, meta.UpdateOptions{}); err != nil {
			return errors.Join(f.err(), err)
		}
	}
	if err := f.err(); err != nil {
		return err
	}
	if len(f.left) > 0 {
		c.loop.After(name, f.estimate())
		return nil
	}
	ns.Spec.Finalizers = slices.DeleteFunc(ns.Spec.Finalizers, func(f core.FinalizerName) bool { return f == core.FinalizerKubernetes })
	_, err = c.Client.CoreV1().Namespaces().Finalize(ctx, ns, meta.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// empty deletes what is in the namespace: pods first, and nothing else until they are gone, so that what they need while they end outlives them.
func (c *controller) empty(ctx context.Context, ns *core.Namespace) *findings {
	f := newFindings()
	lists, err := c.Discovery.ServerPreferredNamespacedResources()
	if err != nil {
		f.discovery = err
	}
	podsOnly := []schema.GroupVersionResource{core.SchemeGroupVersion.WithResource("pods")}
	var all []schema.GroupVersionResource
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			f.parsing = append(f.parsing, err)
			continue
		}
		for _, r := range list.APIResources {
			if slices.Contains(r.Verbs, "delete") && slices.Contains(r.Verbs, "list") && gv.WithResource(r.Name) != podsOnly[0] {
				all = append(all, gv.WithResource(r.Name))
			}
		}
	}
	for _, stage := range [][]schema.GroupVersionResource{podsOnly, all} {
		for _, gvr := range stage {
			c.clear(ctx, ns, gvr, f)
		}
		if len(f.left) > 0 || f.deletion != nil {
			return f
		}
	}
	return f
}

// clear one resource.
func (c *controller) clear(ctx context.Context, ns *core.Namespace, gvr schema.GroupVersionResource, f *findings) {
	client := c.Metadata.Resource(gvr).Namespace(ns.Name)
	background := meta.DeletePropagationBackground
	items, err := client.List(ctx, meta.ListOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
		return
	}
	if err != nil {
		f.failed(gvr, err)
		return
	}
	if len(items.Items) == 0 {
		return
	}
	err = client.DeleteCollection(ctx, meta.DeleteOptions{PropagationPolicy: &background}, meta.ListOptions{})
	if apierrors.IsMethodNotSupported(err) || apierrors.IsNotFound(err) {
		err = nil
		for _, item := range items.Items {
			one := client.Delete(ctx, item.Name, meta.DeleteOptions{PropagationPolicy: &background})
			if one != nil && !apierrors.IsNotFound(one) {
				err = errors.Join(err, one)
			}
		}
	}
	if err != nil {
		f.failed(gvr, err)
		return
	}
	items, err = client.List(ctx, meta.ListOptions{})
	if err != nil {
		f.failed(gvr, fmt.Errorf("list what is left: %w", err))
		return
	}
	for _, item := range items.Items {
		f.remains(gvr, item.Finalizers, item.DeletionGracePeriodSeconds)
	}
}
