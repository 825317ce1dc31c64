package proxy

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	discoveryv1client "k8s.io/client-go/kubernetes/typed/discovery/v1"
	networkingv1client "k8s.io/client-go/kubernetes/typed/networking/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// foreign selects what is ours: not the Services of other proxies, and not the headless ones, which have no address to serve.
const foreign = "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name"

// byService is the index of EndpointSlices by the namespace/name of their Service.
const byService = "service"

// state is what the API says, kept up to date.
type state struct {
	services, slices, node cache.SharedIndexInformer
	// ranges are the ServiceCIDRs. Nothing waits for them: an apiserver may not serve them.
	ranges cache.SharedIndexInformer
}

// source is one kind of object and the part of it that is watched.
type source struct {
	client   rest.Interface
	resource string
	example  runtime.Object
	selector func(*metav1.ListOptions)
}

func (s source) informer(indexers cache.Indexers) (cache.SharedIndexInformer, error) {
	lw := cache.NewFilteredListWatchFromClient(s.client, s.resource, metav1.NamespaceAll, s.selector)
	informer := cache.NewSharedIndexInformer(lw, s.example, 0, indexers)
	if err := informer.SetTransform(slim); err != nil {
		return nil, fmt.Errorf("watch %s: %w", s.resource, err)
	}
	return informer, nil
}

func newState(cfg *rest.Config, node string) (*state, error) {
	core, err := corev1client.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	discovery, err := discoveryv1client.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	networking, err := networkingv1client.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	ours := func(o *metav1.ListOptions) { o.LabelSelector = foreign }
	self := func(o *metav1.ListOptions) { o.FieldSelector = "metadata.name=" + node }
	out := &state{}
	if out.services, err = (source{core.RESTClient(), "services", &corev1.Service{}, ours}).informer(nil); err != nil {
		return nil, err
	}
	indexers := cache.Indexers{byService: func(obj any) ([]string, error) { return []string{serviceOf(obj)}, nil }}
	if out.slices, err = (source{discovery.RESTClient(), "endpointslices", &discoveryv1.EndpointSlice{}, ours}).informer(indexers); err != nil {
		return nil, err
	}
	if out.ranges, err = (source{networking.RESTClient(), "servicecidrs", &networkingv1.ServiceCIDR{}, func(*metav1.ListOptions) {}}).informer(nil); err != nil {
		return nil, err
	}
	out.node, err = source{core.RESTClient(), "nodes", &corev1.Node{}, self}.informer(nil)
	return out, err
}

// slim drops the metadata that nobody here reads.
func slim(obj any) (any, error) {
	if m, err := meta.Accessor(obj); err == nil {
		m.SetManagedFields(nil)
		m.SetAnnotations(nil)
	}
	return obj, nil
}

// serviceOf is the namespace/name of the Service that an EndpointSlice belongs to.
func serviceOf(obj any) string {
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	slice, ok := obj.(*discoveryv1.EndpointSlice)
	if !ok || slice.Labels[discoveryv1.LabelServiceName] == "" {
		return ""
	}
	return slice.Namespace + "/" + slice.Labels[discoveryv1.LabelServiceName]
}

func keyOf(obj any) string {
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(obj)
	if err != nil {
		return ""
	}
	return key
}

// start watches until ctx ends, and returns once everything that exists has been seen. changed is told the key of every Service that something
// happened to, and "" when it was the Node.
func (s *state) start(ctx context.Context, changed func(service string)) error {
	var synced []cache.InformerSynced
	for informer, key := range map[cache.SharedIndexInformer]func(any) string{
		s.services: keyOf,
		s.slices:   serviceOf,
		s.node:     func(any) string { return "" },
		s.ranges:   func(any) string { return serviceRanges },
	} {
		registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(obj any) { changed(key(obj)) },
			UpdateFunc: func(old, obj any) {
				if key(old) != key(obj) {
					changed(key(old))
				}
				changed(key(obj))
			},
			DeleteFunc: func(obj any) { changed(key(obj)) },
		})
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		if informer != s.ranges {
			synced = append(synced, registration.HasSynced)
		}
		go informer.RunWithContext(ctx)
	}
	if !waitFor(ctx, synced) {
		return context.Cause(ctx)
	}
	return nil
}

// waitFor asks every few milliseconds: client-go's own wait asks every 100, which a starting node feels.
func waitFor(ctx context.Context, synced []cache.InformerSynced) bool {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for _, ok := range synced {
		for !ok() {
			select {
			case <-ctx.Done():
				return false
			case <-ticker.C:
			}
		}
	}
	return true
}

// service returns a Service and its EndpointSlices; nil when it does not exist.
func (s *state) service(key string) (*corev1.Service, []*discoveryv1.EndpointSlice) {
	obj, exists, err := s.services.GetStore().GetByKey(key)
	if err != nil || !exists {
		return nil, nil
	}
	found, err := s.slices.GetIndexer().ByIndex(byService, key)
	if err != nil {
		return nil, nil
	}
	slices := make([]*discoveryv1.EndpointSlice, 0, len(found))
	for _, f := range found {
		if slice, ok := f.(*discoveryv1.EndpointSlice); ok {
			slices = append(slices, slice)
		}
	}
	svc, _ := obj.(*corev1.Service)
	return svc, slices
}

// serviceRanges is the key of all ServiceCIDRs among the keys of Services: one may lie within another.
const serviceRanges = "servicecidrs"

// cidrs are the ranges of all ServiceCIDRs.
func (s *state) cidrs() []string {
	var out []string
	for _, obj := range s.ranges.GetStore().List() {
		if cidr, ok := obj.(*networkingv1.ServiceCIDR); ok {
			out = append(out, cidr.Spec.CIDRs...)
		}
	}
	return out
}

// self returns the Node, or nil while it does not exist.
func (s *state) self() *corev1.Node {
	for _, obj := range s.node.GetStore().List() {
		if node, ok := obj.(*corev1.Node); ok {
			return node
		}
	}
	return nil
}
