// Package objects gives workers the other objects that pods name: ConfigMaps, Secrets and service account tokens.
//
// The Node authorizer lets a kubelet read exactly those that its pods name, one at a time, so each is watched on its own for as long as a
// pod registers it. It hands out shared objects: callers must not change them.
package objects

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// Changed is told the pods (by UID) that registered an object which changed.
type Changed func(podUIDs []string)

type id struct{ kind, namespace, name string }

// Cache of watched objects.
type Cache struct {
	client  corev1client.CoreV1Interface
	changed Changed
	logger  *slog.Logger
	ctx     context.Context

	mu      sync.Mutex
	entries map[id]*entry
}

type entry struct {
	cancel context.CancelFunc
	pods   map[string]bool
	ready  chan struct{} // closed once the first list came back

	mu     sync.Mutex
	object metav1.Object // nil: there is none
	err    error         // of the last list, when it failed
}

// New makes a cache whose watches live as long as ctx.
func New(ctx context.Context, client corev1client.CoreV1Interface, changed Changed, logger *slog.Logger) *Cache {
	return &Cache{client: client, changed: changed, logger: logger, ctx: ctx, entries: map[id]*entry{}}
}

// Register makes the watches of exactly the objects that a pod names; a pod that is gone registers nil.
func (c *Cache) Register(podUID string, pod *corev1.Pod) {
	want := map[id]bool{}
	if pod != nil {
		want = named(pod)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.entries {
		if e.pods[podUID] && !want[key] {
			delete(e.pods, podUID)
			if len(e.pods) == 0 {
				e.cancel()
				delete(c.entries, key)
			}
		}
	}
	for key := range want {
		e := c.entries[key]
		if e == nil {
			ctx, cancel := context.WithCancel(c.ctx)
			e = &entry{cancel: cancel, pods: map[string]bool{}, ready: make(chan struct{})}
			c.entries[key] = e
			go c.follow(ctx, key, e)
		}
		e.pods[podUID] = true
	}
}

// ConfigMap returns a registered ConfigMap; errors are the API's.
func (c *Cache) ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	object, err := c.get(ctx, id{"configmap", namespace, name})
	if err != nil {
		return nil, err
	}
	return object.(*corev1.ConfigMap), nil
}

// Secret returns a registered Secret.
func (c *Cache) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	object, err := c.get(ctx, id{"secret", namespace, name})
	if err != nil {
		return nil, err
	}
	return object.(*corev1.Secret), nil
}

func (c *Cache) get(ctx context.Context, key id) (metav1.Object, error) {
	c.mu.Lock()
	e := c.entries[key]
	c.mu.Unlock()
	if e == nil {
		return nil, fmt.Errorf("object %q/%q not registered", key.namespace, key.name)
	}
	select {
	case <-e.ready:
	case <-ctx.Done():
		return nil, fmt.Errorf("failed to sync %s cache: timed out waiting for the condition", key.kind)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.object == nil {
		if e.err != nil {
			return nil, e.err
		}
		return nil, apierrors.NewNotFound(corev1.Resource(key.kind), key.name)
	}
	return e.object, nil
}

// follow lists and watches one object until ctx ends. Failures back off to 10 s: a Node authorizer that does not know the pod yet says no.
func (c *Cache) follow(ctx context.Context, key id, e *entry) {
	var once sync.Once
	wait := 100 * time.Millisecond
	for ctx.Err() == nil {
		version, object, err := c.list(ctx, key)
		if err != nil && !apierrors.IsNotFound(err) {
			c.set(key, e, nil, err)
		} else {
			c.set(key, e, object, nil)
			once.Do(func() { close(e.ready) })
			err = c.watch(ctx, key, e, version)
			if err == nil {
				wait = 100 * time.Millisecond
			}
		}
		if ctx.Err() != nil {
			return
		}
		if apierrors.IsForbidden(err) {
			once.Do(func() { close(e.ready) })
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			wait = min(2*wait, 10*time.Second)
		}
	}
}

func (c *Cache) set(key id, e *entry, object metav1.Object, err error) {
	e.mu.Lock()
	same := versionOf(e.object) == versionOf(object)
	if object != nil || err == nil {
		e.object = object
	}
	e.err = err
	e.mu.Unlock()
	if same {
		return
	}
	c.mu.Lock()
	uids := make([]string, 0, len(e.pods))
	for uid := range e.pods {
		uids = append(uids, uid)
	}
	c.mu.Unlock()
	c.changed(uids)
}

func versionOf(o metav1.Object) string {
	if o == nil {
		return ""
	}
	return o.GetResourceVersion()
}

func options(key id) metav1.ListOptions {
	return metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", key.name).String()}
}

func (c *Cache) list(ctx context.Context, key id) (string, metav1.Object, error) {
	if key.kind == "secret" {
		list, err := c.client.Secrets(key.namespace).List(ctx, options(key))
		if err != nil || len(list.Items) == 0 {
			return versionOfList(list), nil, err
		}
		return list.ResourceVersion, &list.Items[0], nil
	}
	list, err := c.client.ConfigMaps(key.namespace).List(ctx, options(key))
	if err != nil || len(list.Items) == 0 {
		return versionOfList(list), nil, err
	}
	return list.ResourceVersion, &list.Items[0], nil
}

func versionOfList(list metav1.ListInterface) string {
	if list == nil {
		return ""
	}
	return list.GetResourceVersion()
}

func (c *Cache) watch(ctx context.Context, key id, e *entry, version string) error {
	o := options(key)
	o.ResourceVersion = version
	var w watch.Interface
	var err error
	if key.kind == "secret" {
		w, err = c.client.Secrets(key.namespace).Watch(ctx, o)
	} else {
		w, err = c.client.ConfigMaps(key.namespace).Watch(ctx, o)
	}
	if err != nil {
		return err
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, ok := <-w.ResultChan():
			if !ok {
				return nil
			}
			object, isObject := event.Object.(metav1.Object)
			switch {
			case event.Type == watch.Error:
				return apierrors.FromObject(event.Object)
			case event.Type == watch.Deleted:
				c.set(key, e, nil, nil)
			case isObject && (event.Type == watch.Added || event.Type == watch.Modified):
				c.set(key, e, object, nil)
			}
		}
	}
}
