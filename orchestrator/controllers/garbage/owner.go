package garbage

import (
	"context"
	stderrors "errors"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/cache"
)

// ownerState is what an owner reference refers to.
type ownerState int

const (
	alive ownerState = iota
	gone
	// waiting for its dependents to go first
	waiting
)

// owner is the state of what a reference of v means. The graph may say that it lives; everything else is asked live.
func (c *collector) owner(ctx context.Context, v view, ref meta.OwnerReference) (ownerState, error) {
	e := edgeOf(ref)
	if c.graph.living(e, v.namespace) {
		return alive, nil
	}
	if c.absent.has(e, v.namespace) || c.absent.has(e, "") {
		return gone, nil
	}
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return alive, fmt.Errorf("owner %s of %s/%s: %w", ref.Name, v.namespace, v.name, err)
	}
	mapping, err := c.mapper.RESTMapping(gv.WithKind(ref.Kind).GroupKind(), gv.Version)
	if err != nil {
		return alive, fmt.Errorf("owner %s of %s/%s: %w", ref.Name, v.namespace, v.name, err)
	}
	at := identity{resource: mapping.Resource, name: ref.Name}
	if mapping.Scope.Name() == apimeta.RESTScopeNameNamespace {
		if at.namespace = v.namespace; at.namespace == "" {
			return alive, nil // a cluster's object cannot have a namespace's owner: the reference is unresolvable, not dangling
		}
	}
	live, err := c.client(at).Get(ctx, at.name, meta.GetOptions{})
	switch {
	case missing(err) || err == nil && live.UID != ref.UID:
		c.absent.add(e, at.namespace)
		return gone, nil
	case err != nil:
		return alive, fmt.Errorf("read owner %s of %s/%s: %w", ref.Name, v.namespace, v.name, err)
	case live.DeletionTimestamp != nil && has(live.Finalizers, meta.FinalizerDeleteDependents):
		return waiting, nil
	}
	return alive, nil
}

// missing: the server does not have the object, and names it. A server that does not serve its kind, or not yet, answers 404 too; that says nothing
// of the object.
func missing(err error) bool {
	var status errors.APIStatus
	if !errors.IsNotFound(err) || !stderrors.As(err, &status) || errors.HasStatusCause(err, meta.CauseTypeUnexpectedServerResponse) {
		return false
	}
	details := status.Status().Details
	return details != nil && details.Name != ""
}

// absences is how many owners are remembered to be gone, and for how long. A forgotten one is asked for again.
const (
	absences  = 500
	absentFor = time.Hour
)

// absent remembers owners that were not there, so that a thousand dependents ask once. They never come back, for no UID is used twice; but a UID
// that is absent in one place, or as one kind, may be another's elsewhere.
type absent struct{ lru *cache.LRUExpireCache }

type coordinates struct {
	group, kind, namespace, name string
	uid                          types.UID
}

func newAbsent() absent { return absent{cache.NewLRUExpireCache(absences)} }

func (a absent) add(e edge, namespace string) {
	a.lru.Add(coordinates{e.group(), e.kind, namespace, e.name, e.uid}, true, absentFor)
}

func (a absent) has(e edge, namespace string) bool {
	_, known := a.lru.Get(coordinates{e.group(), e.kind, namespace, e.name, e.uid})
	return known
}

// report tells users of references that lead into another namespace, where no owner can be.
func (c *collector) report(strays []stray) {
	for _, s := range strays {
		about := &core.ObjectReference{
			APIVersion: s.from.resource.GroupVersion().String(), Kind: s.from.kind, Namespace: s.from.namespace, Name: s.from.name, UID: s.from.uid,
		}
		c.Events.Eventf(about, core.EventTypeWarning, "OwnerRefInvalidNamespace",
			"ownerRef [%s/%s, namespace: %s, name: %s, uid: %s] does not exist in namespace %q",
			s.to.apiVersion, s.to.kind, s.from.namespace, s.to.name, s.to.uid, s.from.namespace)
	}
}
