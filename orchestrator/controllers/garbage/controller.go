// Package garbage deletes what its owners left behind: in the background, in the foreground (dependents first), or orphans it on request.
//
// It keeps a graph of UIDs, owner edges and finalizer flags, fed by metadata-only watches on every resource that discovery lists. It reads an object
// and its owners live before it deletes it, and owns the finalizers foregroundDeletion and orphan.
package garbage

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/restmapper"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type collector struct {
	*world.World
	loop    *loop.Loop
	graph   *graph
	mapper  *restmapper.DeferredDiscoveryRESTMapper
	running sync.WaitGroup
	absent  absent
}

// Run collects until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &collector{World: w, graph: newGraph(), absent: newAbsent(), mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(w.Discovery))}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("gc"), w.Logger, func(ctx context.Context, key string) error { return c.sync(ctx, types.UID(key)) })
	ready := make(chan struct{})
	c.running.Go(func() { c.follow(ctx, ready) })
	defer c.running.Wait()
	select {
	case <-ctx.Done():
		return nil
	case <-ready:
	}
	return c.loop.Run(ctx)
}

func (c *collector) client(at identity) metadata.ResourceInterface {
	if at.namespace == "" {
		return c.Metadata.Resource(at.resource)
	}
	return c.Metadata.Resource(at.resource).Namespace(at.namespace)
}

func (c *collector) sync(ctx context.Context, uid types.UID) error {
	v, ok := c.graph.view(uid)
	if !ok {
		return nil
	}
	switch {
	case v.orphaning:
		return c.orphan(ctx, v)
	case v.foreground:
		return c.foreground(ctx, v)
	case v.deleting || len(v.owners) == 0:
		return nil
	}
	return c.collect(ctx, v)
}

// collect deletes an object all of whose owners are gone, or drops the references to those that are.
func (c *collector) collect(ctx context.Context, v view) error {
	live, err := c.client(v.identity).Get(ctx, v.name, meta.GetOptions{})
	if missing(err) || err == nil && live.UID != v.uid {
		c.again(c.graph.gone(v.uid))
		return nil
	}
	if err != nil {
		return err
	}
	if live.DeletionTimestamp != nil || len(live.OwnerReferences) == 0 {
		return nil
	}
	var solid, leaving []meta.OwnerReference
	waited := false
	for _, ref := range live.OwnerReferences {
		state, err := c.owner(ctx, v, ref)
		switch {
		case err != nil:
			return err
		case state == gone:
			leaving = append(leaving, ref)
		case state == waiting && ref.BlockOwnerDeletion != nil && *ref.BlockOwnerDeletion:
			leaving, waited = append(leaving, ref), true
		default:
			solid = append(solid, ref)
		}
	}
	if len(solid) > 0 {
		if len(leaving) == 0 {
			return nil
		}
		return c.keepOwners(ctx, v.identity, live, solid)
	}
	if waited && slices.ContainsFunc(v.dependents, func(d node) bool { return d.foreground }) {
		if err := c.unblock(ctx, v.identity, live); err != nil {
			return err
		}
	}
	policy := meta.DeletePropagationBackground
	switch {
	case waited && len(v.dependents) > 0, has(live.Finalizers, meta.FinalizerDeleteDependents):
		policy = meta.DeletePropagationForeground
	case has(live.Finalizers, meta.FinalizerOrphanDependents):
		policy = meta.DeletePropagationOrphan
	}
	err = c.client(v.identity).Delete(ctx, v.name, meta.DeleteOptions{
		PropagationPolicy: &policy, Preconditions: &meta.Preconditions{UID: &v.uid, ResourceVersion: &live.ResourceVersion},
	})
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}

// foreground deletes the dependents of an object, and lets it go when none of those that block it is left.
func (c *collector) foreground(ctx context.Context, v view) error {
	blocked := false
	for _, d := range v.dependents {
		for _, e := range d.owners {
			if e.uid == v.uid && e.blocks {
				blocked = true
				if !d.deleting {
					c.loop.Add(string(d.uid))
				}
			}
		}
	}
	if blocked {
		return nil
	}
	return c.dropFinalizer(ctx, v, meta.FinalizerDeleteDependents)
}

// orphan takes the owner out of its dependents, then lets it go.
func (c *collector) orphan(ctx context.Context, v view) error {
	for _, d := range v.dependents {
		live, err := c.client(d.identity).Get(ctx, d.name, meta.GetOptions{})
		if errors.IsNotFound(err) || err == nil && live.UID != d.uid {
			continue
		}
		if err != nil {
			return err
		}
		kept := slices.DeleteFunc(slices.Clone(live.OwnerReferences), func(r meta.OwnerReference) bool { return r.UID == v.uid })
		if len(kept) == len(live.OwnerReferences) {
			continue
		}
		if err := c.keepOwners(ctx, d.identity, live, kept); err != nil {
			return err
		}
	}
	return c.dropFinalizer(ctx, v, meta.FinalizerOrphanDependents)
}

func (c *collector) keepOwners(ctx context.Context, at identity, live *meta.PartialObjectMetadata, kept []meta.OwnerReference) error {
	if kept == nil {
		kept = []meta.OwnerReference{}
	}
	err := c.patch(ctx, at, live, map[string]any{"ownerReferences": kept})
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}

// unblock lets an object's owners go before it: it waits for a dependent that itself waits, which may be a circle. live becomes the version written.
func (c *collector) unblock(ctx context.Context, at identity, live *meta.PartialObjectMetadata) error {
	refs, no, blocking := slices.Clone(live.OwnerReferences), false, false
	for i := range refs {
		blocking = blocking || refs[i].BlockOwnerDeletion != nil && *refs[i].BlockOwnerDeletion
		refs[i].BlockOwnerDeletion = &no
	}
	if !blocking {
		return nil
	}
	return c.patch(ctx, at, live, map[string]any{"ownerReferences": refs})
}

func (c *collector) dropFinalizer(ctx context.Context, v view, finalizer string) error {
	live, err := c.client(v.identity).Get(ctx, v.name, meta.GetOptions{})
	if errors.IsNotFound(err) || err == nil && live.UID != v.uid {
		return nil
	}
	if err != nil {
		return err
	}
	if !has(live.Finalizers, finalizer) {
		return nil
	}
	kept := slices.DeleteFunc(slices.Clone(live.Finalizers), func(f string) bool { return f == finalizer })
	err = c.patch(ctx, v.identity, live, map[string]any{"finalizers": kept})
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}

func (c *collector) patch(ctx context.Context, at identity, live *meta.PartialObjectMetadata, change map[string]any) error {
	change["uid"], change["resourceVersion"] = live.UID, live.ResourceVersion
	patch, err := json.Marshal(map[string]any{"metadata": change})
	if err != nil {
		return err
	}
	written, err := c.client(at).Patch(ctx, at.name, types.MergePatchType, patch, meta.PatchOptions{})
	if err == nil {
		live.ResourceVersion = written.ResourceVersion
	}
	return err
}
