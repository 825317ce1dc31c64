package objects

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

// Root of all keys in the store, as in stock.
const Root = "/registry/"

// Registry gives typed access to every kind of the catalogue.
type Registry struct {
	Store store.Store
	Cache *watchcache.Cache
	// Now stamps creation and deletion.
	Now func() time.Time
	// Track notes in managedFields what the apiserver itself writes (Writer); nil notes nothing.
	Track func(k *kind.Kind, subresource string, obj, old kind.Object)

	kinds   map[schema.GroupResource]*kind.Kind
	written written
}

var _ ReadWriter = (*Registry)(nil)

// New returns a registry of the kinds; its cache must be run.
func New(kinds []*kind.Kind, s store.Store, logger *slog.Logger) *Registry {
	r := &Registry{Store: s, Now: time.Now, kinds: map[schema.GroupResource]*kind.Kind{}}
	var resources []watchcache.Resource
	seen := map[string]bool{}
	for _, k := range kinds {
		r.kinds[k.GroupResource()] = k
		if prefix := Prefix(k); k.Storage.New != nil && !seen[prefix] {
			seen[prefix] = true
			resources = append(resources, watchcache.Resource{Prefix: prefix, Extract: r.extractor(k)})
		}
	}
	r.Cache = watchcache.New(watchcache.Config{Store: s, Prefix: Root, Resources: resources, Logger: logger})
	return r
}

// track is the hook of a write by the apiserver itself.
func (r *Registry) track(k *kind.Kind, subresource string) func(obj, old kind.Object) {
	if r.Track == nil {
		return nil
	}
	return func(obj, old kind.Object) { r.Track(k, subresource, obj, old) }
}

// Kind of a resource; nil when the catalogue has none.
func (r *Registry) Kind(gr schema.GroupResource) *kind.Kind { return r.kinds[gr] }

// Prefix of a kind's keys, with the slash at the end.
func Prefix(k *kind.Kind) string { return Root + k.Storage.Prefix + "/" }

// Key of one object.
func Key(k *kind.Kind, namespace, name string) string {
	if k.Namespaced {
		return Prefix(k) + namespace + "/" + name
	}
	return Prefix(k) + name
}

// NamespacePrefix of the keys of one namespace's objects; of all when it is empty.
func NamespacePrefix(k *kind.Kind, namespace string) string {
	if k.Namespaced && namespace != "" {
		return Prefix(k) + namespace + "/"
	}
	return Prefix(k)
}

func (r *Registry) extractor(k *kind.Kind) func(string, []byte, int64) (watchcache.Meta, error) {
	return func(key string, value []byte, revision int64) (watchcache.Meta, error) {
		obj, ok := r.written.take(key, value)
		if !ok {
			var err error
			if obj, err = decode(k, value); err != nil {
				return watchcache.Meta{}, err
			}
		}
		obj = at(obj, revision)
		meta := watchcache.Meta{Namespace: obj.GetNamespace(), Name: obj.GetName(), Labels: obj.GetLabels(), Decoded: obj}
		if k.Fields != nil {
			meta.Fields = k.Fields(obj)
			meta.Index = meta.Fields[nodeField]
		}
		return meta, nil
	}
}

// nodeField is the selectable field that ties objects to nodes; the cache finds objects by it without looking at all of them.
const nodeField = "spec.nodeName"

// Of is the decoded object of a cache entry: shared, not to be altered.
func Of(o *watchcache.Object) kind.Object { return o.Decoded.(kind.Object) }

// known returns a kind, or an error that names the resource.
func (r *Registry) known(gr schema.GroupResource) (*kind.Kind, error) {
	if k := r.kinds[gr]; k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("objects: the catalogue has no %s", gr)
}

// Get implements Reader.
func (r *Registry) Get(_ context.Context, gr schema.GroupResource, namespace, name string) (kind.Object, error) {
	k, err := r.known(gr)
	if err != nil {
		return nil, err
	}
	if o, ok := r.Cache.Get(Prefix(k), Key(k, namespace, name)); ok {
		return Of(o), nil
	}
	return nil, apierrors.NewNotFound(gr, name)
}

// List implements Reader.
func (r *Registry) List(_ context.Context, gr schema.GroupResource, namespace string, selector labels.Selector) ([]kind.Object, error) {
	k, err := r.known(gr)
	if err != nil {
		return nil, err
	}
	var found []kind.Object
	r.Cache.Snapshot(Prefix(k)).Range(NamespacePrefix(k, namespace), "", func(o *watchcache.Object) bool {
		if selector == nil || selector.Matches(labels.Set(o.Labels)) {
			found = append(found, Of(o))
		}
		return true
	})
	return found, nil
}

// OnNode implements Reader.
func (r *Registry) OnNode(_ context.Context, gr schema.GroupResource, node string) ([]kind.Object, error) {
	k, err := r.known(gr)
	if err != nil {
		return nil, err
	}
	var found []kind.Object
	r.Cache.Snapshot(Prefix(k)).Indexed(node, func(o *watchcache.Object) bool {
		found = append(found, Of(o))
		return true
	})
	return found, nil
}

// Barrier implements Reader.
func (r *Registry) Barrier(ctx context.Context) error { return r.Cache.Barrier(ctx) }

// Live reads an object from the store itself, as a copy that the caller may alter.
func (r *Registry) Live(ctx context.Context, k *kind.Kind, namespace, name string) (kind.Object, error) {
	o, err := r.live(ctx, k, namespace, name)
	return o.Object, err
}

func (r *Registry) live(ctx context.Context, k *kind.Kind, namespace, name string) (original, error) {
	e, err := r.Store.Get(ctx, Key(k, namespace, name))
	if err == store.ErrNotFound {
		return original{}, apierrors.NewNotFound(k.GroupResource(), name)
	}
	if err != nil {
		return original{}, err
	}
	return originalOf(k, e)
}

// validKeyPart: a name that cannot be part of a key names nothing.
func validKeyPart(name string) bool { return name != "" && !strings.ContainsRune(name, '/') }
