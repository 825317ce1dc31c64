// Package mirroring copies Endpoints that people write, for Services without a selector, into the EndpointSlices that proxies and DNS read.
//
// It owns the slices that carry its managed-by label. Package endpointslice serves the Services that have a selector.
package mirroring

import (
	"context"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/slicing"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop *loop.Loop
	own  loop.Own
}

// Run mirrors until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("mirroring-service-endpoint"), w.Logger, c.sync)
	loop.Keys[core.Endpoints](c.loop, w.Informers.Core().V1().Endpoints().Informer())
	loop.On(c.loop, w.Informers.Core().V1().Services().Informer(), func(old, new *core.Service) {
		if old != nil && new != nil && (len(old.Spec.Selector) == 0) == (len(new.Spec.Selector) == 0) {
			return
		}
		if new == nil {
			new = old
		}
		c.loop.Add(loop.Key(new))
	})
	slicing.Follow(c.loop, w.Informers.Discovery().V1().EndpointSlices().Informer(), manager)
	return c.loop.Run(ctx)
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	if !c.own.Seen(key, c.Informers.Discovery().V1().EndpointSlices().Informer()) {
		return loop.ErrStale
	}
	existing, err := c.Informers.Discovery().V1().EndpointSlices().Lister().EndpointSlices(namespace).List(
		labels.Set{discovery.LabelServiceName: name, discovery.LabelManagedBy: manager}.AsSelector())
	if err != nil {
		return err
	}
	source, err := c.Informers.Core().V1().Endpoints().Lister().Endpoints(namespace).Get(name)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	service, serviceErr := c.Informers.Core().V1().Services().Lister().Services(namespace).Get(name)
	if serviceErr != nil && !apierrors.IsNotFound(serviceErr) {
		return serviceErr
	}
	todo := slicing.Changes{Remove: existing}
	if err == nil && serviceErr == nil && mirrored(source, service) {
		wanted, left := groups(source)
		if left > 0 {
			c.Events.Eventf(source, core.EventTypeWarning, "TooManyAddressesToMirror", "A max of %d addresses can be mirrored to EndpointSlices per Endpoints subset. %d addresses were skipped", maxPerSubset, left)
		}
		todo = slicing.Plan(owner(source), wanted, existing)
	}
	return slicing.Apply(ctx, c.Client, todo, func(version string) { c.own.Wrote(key, version) })
}
