// Package endpointslice writes, for each Service with a selector, the EndpointSlices that proxies and DNS read: its pods' addresses by family and port.
//
// It owns the slices that carry its managed-by label. Pods, Services and Nodes feed it; the proxies are fed by it.
package endpointslice

import (
	"context"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/endpoints"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/slicing"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop *loop.Loop
	own  loop.Own

	mu sync.Mutex
	// missing are, by the name of a node that does not exist, the keys of Services that select pods bound to it.
	missing map[string]map[string]bool
}

// Run writes slices until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w, missing: map[string]map[string]bool{}}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("service-endpoint"), w.Logger, c.sync)
	loop.Keys[core.Service](c.loop, w.Informers.Core().V1().Services().Informer())
	endpoints.Pods(c.loop, w)
	slicing.Follow(c.loop, w.Informers.Discovery().V1().EndpointSlices().Informer(), manager)
	loop.On(c.loop, w.Informers.Core().V1().Nodes().Informer(), func(old, new *core.Node) {
		if old == nil {
			c.appeared(new.Name)
		}
		if old == nil || new == nil || old.Labels[core.LabelTopologyZone] == new.Labels[core.LabelTopologyZone] {
			return
		}
		all, err := w.Informers.Core().V1().Services().Lister().List(labels.Everything())
		if err != nil {
			return
		}
		for _, s := range all {
			c.loop.Add(loop.Key(s))
		}
	})
	return c.loop.Run(ctx)
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	s, err := c.Informers.Core().V1().Services().Lister().Services(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		c.await(key, nil)
		return nil // the garbage collector takes the slices
	}
	if err != nil {
		return err
	}
	if len(s.Spec.Selector) == 0 || s.Spec.Type == core.ServiceTypeExternalName || s.DeletionTimestamp != nil {
		return nil
	}
	if !c.own.Seen(key, c.Informers.Discovery().V1().EndpointSlices().Informer()) {
		return loop.ErrStale
	}
	mine, err := c.Informers.Core().V1().Pods().Lister().Pods(namespace).List(labels.SelectorFromSet(s.Spec.Selector))
	if err != nil {
		return err
	}
	existing, err := c.Informers.Discovery().V1().EndpointSlices().Lister().EndpointSlices(namespace).List(
		labels.Set{discovery.LabelServiceName: name, discovery.LabelManagedBy: manager}.AsSelector())
	if err != nil {
		return err
	}
	nodes := map[string]*core.Node{}
	for _, p := range mine {
		if node, err := c.Informers.Core().V1().Nodes().Lister().Get(p.Spec.NodeName); err == nil {
			nodes[node.Name] = node
		}
	}
	c.await(key, nowhere(s, mine, nodes))
	todo := slicing.Plan(owner(s), groups(s, mine, nodes), existing)
	stamp(append(todo.Create, todo.Update...), time.Now())
	return slicing.Apply(ctx, c.Client, todo, func(version string) { c.own.Wrote(key, version) })
}

// await has key synced when one of those nodes appears, and no longer for any other.
func (c *controller) await(key string, nodes []string) {
	c.mu.Lock()
	for node, keys := range c.missing {
		if delete(keys, key); len(keys) == 0 {
			delete(c.missing, node)
		}
	}
	for _, node := range nodes {
		if c.missing[node] == nil {
			c.missing[node] = map[string]bool{}
		}
		c.missing[node][key] = true
	}
	c.mu.Unlock()
	for _, node := range nodes {
		if _, err := c.Informers.Core().V1().Nodes().Lister().Get(node); err == nil {
			c.appeared(node) // between the look and the note
		}
	}
}

// appeared wakes the Services that wait for a node.
func (c *controller) appeared(node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.missing[node] {
		c.loop.Add(key)
	}
	delete(c.missing, node)
}

// stamp notes when the change was seen, so that proxies can measure how long it took to reach them.
func stamp(changed []*discovery.EndpointSlice, now time.Time) {
	for _, slice := range changed {
		if slice.Annotations == nil {
			slice.Annotations = map[string]string{}
		}
		slice.Annotations[core.EndpointsLastChangeTriggerTime] = now.UTC().Format(time.RFC3339Nano)
	}
}
