package admission

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// freshly reads an object, and believes that there is none only after the cache has caught up.
func freshly(ctx context.Context, reader objects.Reader, gr schema.GroupResource, namespace, name string) (kind.Object, error) {
	obj, err := reader.Get(ctx, gr, namespace, name)
	if !apierrors.IsNotFound(err) {
		return obj, err
	}
	if err := reader.Barrier(ctx); err != nil {
		return nil, err
	}
	return reader.Get(ctx, gr, namespace, name)
}
