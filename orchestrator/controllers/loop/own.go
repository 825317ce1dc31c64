package loop

import (
	"sync"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/cache"
)

// Own remembers, by key, the newest version that a controller wrote of what it owns, so that it plans no second time on a cache that lags behind
// its first. The zero value is ready.
type Own struct {
	mu     sync.Mutex
	newest map[string]string
}

// Wrote notes a write made for key.
func (o *Own) Wrote(key, version string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.newest == nil {
		o.newest = map[string]string{}
	}
	if last, ok := o.newest[key]; ok {
		if order, err := resourceversion.CompareResourceVersion(last, version); err == nil && order >= 0 {
			return
		}
	}
	o.newest[key] = version
}

// Seen is true when the informer's store has every write noted for key.
func (o *Own) Seen(key string, informer cache.SharedIndexInformer) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	last, ok := o.newest[key]
	if !ok {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(informer.GetStore().LastStoreSyncResourceVersion(), last)
	if err == nil && order < 0 {
		return false
	}
	delete(o.newest, key)
	return true
}
