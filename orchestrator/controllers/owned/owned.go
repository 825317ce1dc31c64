// Package owned finds what belongs to a workload: by controller reference, adopting orphans that the selector matches and releasing what it no longer does.
//
// It reads informers' indexes and writes owner references as the controller that asks. It knows no kind: callers hand it patches.
package owned

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// ByController is the index of objects by the UID of their controller; orphans are under OrphansOf their namespace.
const ByController = "controller"

// OrphansOf is the index value of objects without a controller.
func OrphansOf(namespace string) string { return "orphans/" + namespace }

// Indexers of ByController.
func Indexers() cache.Indexers {
	return cache.Indexers{ByController: func(obj any) ([]string, error) {
		o, ok := obj.(meta.Object)
		if !ok {
			return nil, nil
		}
		if ref := meta.GetControllerOfNoCopy(o); ref != nil {
			return []string{string(ref.UID)}, nil
		}
		return []string{OrphansOf(o.GetNamespace())}, nil
	}}
}

// Of returns the objects whose controller has that UID.
func Of[T any](indexer cache.Indexer, uid types.UID) []*T { return byIndex[T](indexer, string(uid)) }

func byIndex[T any](indexer cache.Indexer, value string) []*T {
	found, err := indexer.ByIndex(ByController, value)
	if err != nil {
		return nil // the index is missing only if this process was put together wrongly; tests see it
	}
	out := make([]*T, 0, len(found))
	for _, obj := range found {
		if o, ok := obj.(*T); ok {
			out = append(out, o)
		}
	}
	return out
}

// Orphans of a namespace.
func Orphans[T any](indexer cache.Indexer, namespace string) []*T {
	return byIndex[T](indexer, OrphansOf(namespace))
}

// Claim describes an owner that collects what its selector matches.
type Claim[T any] struct {
	Owner    meta.Object
	Ref      meta.OwnerReference
	Selector labels.Selector
	Indexer  cache.Indexer
	// Alive reads the owner from the apiserver: a cached one may have been deleted, and must adopt nothing.
	Alive func(ctx context.Context) (meta.Object, error)
	// Patch applies a strategic merge patch to one owned object.
	Patch func(ctx context.Context, name string, patch []byte) error
	// Adoptable narrows what is adopted further; nil: all that the selector matches.
	Adoptable func(*T) bool
	// Finalizer is put on what is adopted and taken off what is released; empty: none.
	Finalizer string
}

// Run returns what the owner controls after adoption and release.
func Run[T any, P interface {
	*T
	meta.Object
}](ctx context.Context, c Claim[T]) ([]*T, error) {
	var mine []*T
	for _, o := range Of[T](c.Indexer, c.Owner.GetUID()) {
		if c.Selector.Matches(labels.Set(P(o).GetLabels())) || P(o).GetDeletionTimestamp() != nil || c.Owner.GetDeletionTimestamp() != nil {
			if c.Selector.Matches(labels.Set(P(o).GetLabels())) {
				mine = append(mine, o)
			}
			continue
		}
		if err := c.release(ctx, P(o)); err != nil {
			return nil, err
		}
	}
	if c.Owner.GetDeletionTimestamp() != nil {
		return mine, nil
	}
	checked := false
	for _, o := range Orphans[T](c.Indexer, c.Owner.GetNamespace()) {
		if P(o).GetDeletionTimestamp() != nil || !c.Selector.Matches(labels.Set(P(o).GetLabels())) || c.Adoptable != nil && !c.Adoptable(o) {
			continue
		}
		if !checked {
			if err := c.alive(ctx); err != nil {
				return nil, err
			}
			checked = true
		}
		err := c.adopt(ctx, P(o))
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		mine = append(mine, o)
	}
	return mine, nil
}

func (c Claim[T]) alive(ctx context.Context) error {
	live, err := c.Alive(ctx)
	if err != nil {
		return fmt.Errorf("read %s before it adopts: %w", c.Owner.GetName(), err)
	}
	if live.GetUID() != c.Owner.GetUID() || live.GetDeletionTimestamp() != nil {
		return fmt.Errorf("%s %s/%s is being deleted or was replaced: it adopts nothing", c.Ref.Kind, c.Owner.GetNamespace(), c.Owner.GetName())
	}
	return nil
}

func (c Claim[T]) adopt(ctx context.Context, o meta.Object) error {
	fields := map[string]any{"ownerReferences": []any{c.Ref}}
	if c.Finalizer != "" {
		fields["finalizers"] = []string{c.Finalizer}
	}
	return c.patch(ctx, o, fields)
}

func (c Claim[T]) release(ctx context.Context, o meta.Object) error {
	fields := map[string]any{"ownerReferences": []any{map[string]any{"$patch": "delete", "uid": c.Owner.GetUID()}}}
	if c.Finalizer != "" {
		fields["$deleteFromPrimitiveList/finalizers"] = []string{c.Finalizer}
	}
	err := c.patch(ctx, o, fields)
	if apierrors.IsNotFound(err) || apierrors.IsInvalid(err) {
		return nil // it is gone, or no longer refers to us
	}
	return err
}

func (c Claim[T]) patch(ctx context.Context, o meta.Object, fields map[string]any) error {
	fields["uid"] = o.GetUID()
	patch, err := json.Marshal(map[string]any{"metadata": fields})
	if err != nil {
		return err
	}
	return c.Patch(ctx, o.GetName(), patch)
}
