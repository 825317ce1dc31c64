// Package objects is typed access to what is stored: the only place where the catalogue's kinds meet the store's bytes.
//
// It encodes and decodes storage versions, reads from the watch cache and writes through the store. The verbs of endpoint, admission,
// authentication, authorization and the apiserver's own reconcilers all go through it. It knows nothing of HTTP.
package objects

import (
	"context"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Reader answers from the watch cache, without asking the store. What it returns is shared: do not alter it.
type Reader interface {
	// Get returns the hub object, or an error that apierrors.IsNotFound knows.
	Get(ctx context.Context, gr schema.GroupResource, namespace, name string) (kind.Object, error)
	// List returns the objects of a namespace (empty: all) that the selector matches (nil: all).
	List(ctx context.Context, gr schema.GroupResource, namespace string, selector labels.Selector) ([]kind.Object, error)
	// OnNode returns the objects whose field spec.nodeName is the node, by an index.
	OnNode(ctx context.Context, gr schema.GroupResource, node string) ([]kind.Object, error)
	// Barrier returns when the cache has applied everything that was committed before the call: afterwards a Get is linearizable.
	Barrier(ctx context.Context) error
}

// Writer writes whole objects through the full write path of their kind (defaults, preparation, validation, generation) but without admission:
// it is for what the apiserver itself owns (bootstrap objects, IPAddresses, the kubernetes Service).
type Writer interface {
	Create(ctx context.Context, gr schema.GroupResource, obj kind.Object) (kind.Object, error)
	// Update re-reads and calls mutate again on every conflict. A mutate that returns ErrUnchanged ends it without a write.
	// subresource is empty or "status".
	Update(ctx context.Context, gr schema.GroupResource, namespace, name, subresource string, mutate func(kind.Object) error) (kind.Object, error)
	// Delete removes at once, whatever the grace period; finalizers are obeyed.
	Delete(ctx context.Context, gr schema.GroupResource, namespace, name string) error
}

// ReadWriter is both.
type ReadWriter interface {
	Reader
	Writer
}
