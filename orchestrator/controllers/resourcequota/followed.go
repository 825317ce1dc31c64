package resourcequota

import (
	"context"
	"sync"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// rediscovery is how often the list of served resources may be read again.
const rediscovery = 10 * time.Second

// followed are metadata informers of the resources that quotas number: one is started when the first quota asks.
type followed struct {
	*world.World
	ctx     context.Context
	changed func(gr schema.GroupResource, old, new meta.Object)
	running sync.WaitGroup

	// mu guards what follows.
	mu        sync.Mutex
	informers map[schema.GroupResource]cache.SharedIndexInformer
	served    map[schema.GroupResource]schema.GroupVersionResource
	read      time.Time
}

func (f *followed) wait() { f.running.Wait() }

// informer of a resource; nil when the resource is not served (now).
func (f *followed) informer(gr schema.GroupResource) cache.SharedIndexInformer {
	f.mu.Lock()
	defer f.mu.Unlock()
	if informer := f.informers[gr]; informer != nil {
		return informer
	}
	gvr, ok := f.find(gr)
	if !ok || f.ctx.Err() != nil {
		return nil
	}
	informer := metadatainformer.NewFilteredMetadataInformer(f.Metadata, gvr, meta.NamespaceAll, 0,
		cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}, nil).Informer()
	added := func(obj any) {
		if o, ok := obj.(meta.Object); ok {
			f.changed(gr, nil, o)
		}
	}
	removed := func(obj any) {
		if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = gone.Obj
		}
		if o, ok := obj.(meta.Object); ok {
			f.changed(gr, o, nil)
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: added, DeleteFunc: removed}); err != nil {
		f.Logger.Warn("follow resource", "resource", gr.String(), "error", err)
		return nil
	}
	f.informers[gr] = informer
	f.running.Go(func() { informer.RunWithContext(f.ctx) })
	return informer
}

// find the served version of a resource.
func (f *followed) find(gr schema.GroupResource) (schema.GroupVersionResource, bool) {
	if gvr, ok := f.served[gr]; ok || time.Since(f.read) < rediscovery {
		return gvr, ok
	}
	f.read = time.Now()
	lists, err := f.Discovery.ServerPreferredNamespacedResources()
	if err != nil && lists == nil {
		f.Logger.Warn("discover resources", "error", err)
		return schema.GroupVersionResource{}, false
	}
	f.served = map[schema.GroupResource]schema.GroupVersionResource{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			f.served[gv.WithResource(r.Name).GroupResource()] = gv.WithResource(r.Name)
		}
	}
	gvr, ok := f.served[gr]
	return gvr, ok
}
