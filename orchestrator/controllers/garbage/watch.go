package garbage

import (
	"context"
	"errors"
	"slices"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
)

// rediscover is how often the list of resources is read anew.
const rediscover = 5 * time.Second

// ignored resources are never collected: Events are too many and expire by themselves.
var ignored = map[schema.GroupResource]bool{{Resource: "events"}: true, {Group: "events.k8s.io", Resource: "events"}: true}

// follow keeps a metadata-only watch on every resource that can be collected. ready closes when the first set of them is synced.
func (c *collector) follow(ctx context.Context, ready chan<- struct{}) {
	running := map[schema.GroupVersionResource]context.CancelFunc{}
	first := true
	ticker := time.NewTicker(rediscover)
	defer ticker.Stop()
	for {
		resources, complete := c.deletable()
		var synced []cache.InformerSynced
		for gvr, kind := range resources {
			if running[gvr] != nil {
				continue
			}
			own, stop := context.WithCancel(ctx)
			running[gvr] = stop
			synced = append(synced, c.monitor(own, gvr, kind))
		}
		for gvr, stop := range running {
			if resources[gvr] == "" && complete {
				stop()
				delete(running, gvr)
			}
		}
		if len(synced) > 0 {
			c.mapper.Reset()
		}
		if first && len(resources) > 0 {
			limit, cancel := context.WithTimeout(ctx, 30*time.Second)
			cache.WaitForCacheSync(limit.Done(), synced...)
			cancel()
			close(ready)
			first = false
		}
		select {
		case <-ctx.Done():
			for _, stop := range running {
				stop()
			}
			return
		case <-ticker.C:
		}
	}
}

// deletable resources and their kinds; complete is false when some group did not answer.
func (c *collector) deletable() (map[schema.GroupVersionResource]string, bool) {
	out := map[schema.GroupVersionResource]string{}
	lists, err := c.Discovery.ServerPreferredResources()
	complete := err == nil
	if err != nil {
		var partial *discovery.ErrGroupDiscoveryFailed
		if !errors.As(err, &partial) {
			c.Logger.Warn("discover resources", "error", err)
			return out, false
		}
	}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			gvr := gv.WithResource(r.Name)
			if ignored[gvr.GroupResource()] || !slices.Contains(r.Verbs, "delete") || !slices.Contains(r.Verbs, "list") || !slices.Contains(r.Verbs, "watch") {
				continue
			}
			out[gvr] = r.Kind
		}
	}
	return out, complete
}

func (c *collector) monitor(ctx context.Context, gvr schema.GroupVersionResource, kind string) cache.InformerSynced {
	informer := metadatainformer.NewFilteredMetadataInformer(c.Metadata, gvr, meta.NamespaceAll, 0, cache.Indexers{}, nil).Informer()
	_ = informer.SetTransform(edgesOnly)
	_ = informer.SetWatchErrorHandlerWithContext(func(ctx context.Context, _ *cache.Reflector, err error) {
		c.Logger.Log(ctx, logs.V(2), "watch", "resource", gvr.String(), "error", err)
	})
	put := func(obj any) {
		if o, ok := obj.(*meta.PartialObjectMetadata); ok {
			again, strays := c.graph.put(identity{gvr, o.Namespace, o.Name}, kind, o)
			c.again(again)
			c.report(strays)
		}
	}
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    put,
		UpdateFunc: func(_, obj any) { put(obj) },
		DeleteFunc: func(obj any) {
			if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = last.Obj
			}
			if o, ok := obj.(*meta.PartialObjectMetadata); ok {
				c.absent.add(edge{uid: o.UID, apiVersion: gvr.GroupVersion().String(), kind: kind, name: o.Name}, o.Namespace)
				c.again(c.graph.gone(o.UID))
			}
		},
	})
	c.running.Go(func() { informer.RunWithContext(ctx) })
	return informer.HasSynced
}

// edgesOnly keeps of an object's metadata what the graph reads.
func edgesOnly(obj any) (any, error) {
	o, ok := obj.(*meta.PartialObjectMetadata)
	if !ok {
		return obj, nil
	}
	return &meta.PartialObjectMetadata{ObjectMeta: meta.ObjectMeta{
		Namespace: o.Namespace, Name: o.Name, UID: o.UID, ResourceVersion: o.ResourceVersion,
		OwnerReferences: o.OwnerReferences, Finalizers: o.Finalizers, DeletionTimestamp: o.DeletionTimestamp,
	}}, nil
}

func (c *collector) again(uids []types.UID) {
	for _, uid := range uids {
		c.loop.Add(string(uid))
	}
}
