package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// Change is one update under way.
type Change struct {
	Namespace, Name string
	// Subresource is empty, status, or another one with Update rules.
	Subresource string
	// Apply makes the wanted object of a copy of the present one. It is called again after a conflict. ErrUnchanged ends without a write.
	Apply func(present kind.Object) (kind.Object, error)
	Hooks
}

// Update implements Writer.
func (r *Registry) Update(ctx context.Context, gr schema.GroupResource, namespace, name, subresource string, mutate func(kind.Object) error) (kind.Object, error) {
	k, err := r.known(gr)
	if err != nil {
		return nil, err
	}
	apply := func(present kind.Object) (kind.Object, error) { return present, mutate(present) }
	return r.Modify(ctx, k, Change{Namespace: namespace, Name: name, Subresource: subresource, Apply: apply, Hooks: Hooks{Gate: Own, Track: r.track(k, subresource)}})
}

// Modify is the whole way of a change into the store.
func (r *Registry) Modify(ctx context.Context, k *kind.Kind, c Change) (changed kind.Object, err error) {
	if c.Gate == nil {
		return nil, errNoGate
	}
	err = r.fromPresent(ctx, k, c.Namespace, c.Name, func(present original) (written bool, err error) {
		changed, err = r.modifyOnce(ctx, k, c, present)
		return err == nil && changed.GetResourceVersion() != present.GetResourceVersion(), err
	})
	return changed, err
}

// fromPresent lets attempt write what it makes of the cached object. An outcome other than a write was computed from what may be old, so it is only
// believed when the store's own copy says the same; after a conflict the attempt is made again on what the store has.
func (r *Registry) fromPresent(ctx context.Context, k *kind.Kind, namespace, name string, attempt func(original) (written bool, err error)) error {
	present, live, err := r.start(ctx, k, namespace, name)
	if err != nil {
		return err
	}
	for {
		written, err := attempt(present)
		var conflict *store.ConflictError
		switch {
		case errors.As(err, &conflict):
			if present, err = r.afterConflict(k, name, conflict); err != nil {
				return err
			}
			live = true
		case written || live || isUnsettled(err):
			return err
		default:
			fresh, gone := r.live(ctx, k, namespace, name)
			if gone != nil {
				return gone
			}
			if fresh.GetResourceVersion() == present.GetResourceVersion() {
				return err
			}
			present, live = fresh, true
		}
	}
}

// original is an object as the store holds it.
type original struct {
	kind.Object
	data []byte
}

func originalOf(k *kind.Kind, e store.Entry) (original, error) {
	obj, err := Decode(k, e.Value, e.ModRevision)
	return original{obj, e.Value}, err
}

// start returns the cached object, or the live one when the cache has none.
func (r *Registry) start(ctx context.Context, k *kind.Kind, namespace, name string) (present original, live bool, err error) {
	if o, ok := r.Cache.Get(Prefix(k), Key(k, namespace, name)); ok {
		return original{Of(o), o.Value}, false, nil
	}
	present, err = r.live(ctx, k, namespace, name)
	return present, true, err
}

// afterConflict decodes what the failed transaction brought back.
func (r *Registry) afterConflict(k *kind.Kind, name string, conflict *store.ConflictError) (original, error) {
	if conflict.Current.ModRevision == 0 {
		return original{}, apierrors.NewNotFound(k.GroupResource(), name)
	}
	return originalOf(k, conflict.Current)
}

func (r *Registry) modifyOnce(ctx context.Context, k *kind.Kind, c Change, present original) (kind.Object, error) {
	obj, err := c.Apply(present.DeepCopyObject().(kind.Object))
	if errors.Is(err, ErrUnchanged) {
		return present.Object, nil
	}
	if err != nil {
		return nil, err
	}
	if v := obj.GetResourceVersion(); v != "" && v != present.GetResourceVersion() {
		return nil, Conflict(k, c.Name)
	}
	rules := rulesOf(k, c.Subresource)
	if err := r.prepare(ctx, k, rules, c, obj, present.Object); err != nil {
		return nil, err
	}
	if err := c.Gate.Validate(obj, present.Object); err != nil {
		return nil, err
	}
	warn(ctx, rules.Warnings, c.Hooks, obj, present.Object)
	return r.commit(ctx, k, c, obj, present)
}

// rulesOf an update: the kind's own, or those of the subresource; one that is served by a handler of its own (binding) has none.
func rulesOf(k *kind.Kind, subresource string) kind.Rules {
	if subresource == "" {
		return k.Rules
	}
	if update := k.Subresources[subresource].Update; update != nil {
		return *update
	}
	return kind.Rules{}
}

// Conflict is the error of an update of an old version.
func Conflict(k *kind.Kind, name string) error {
	return apierrors.NewConflict(k.GroupResource(), name, errors.New("the object has been modified; please apply your changes to the latest version and try again"))
}

// prepare defaults, admits, carries over what may not change, counts the generation and validates.
func (r *Registry) prepare(ctx context.Context, k *kind.Kind, rules kind.Rules, c Change, obj, old kind.Object) error {
	keepMetadata(obj, old)
	normalise(k, obj)
	if k.Default != nil {
		k.Default(obj)
	}
	if c.Track != nil {
		c.Track(obj, old)
	}
	if err := c.Gate.Admit(obj, old); err != nil {
		return err
	}
	if rules.PrepareUpdate != nil {
		rules.PrepareUpdate(ctx, obj, old)
	}
	obj.SetGeneration(old.GetGeneration())
	// A write of the status is never a new wish, even if it brings an annotation.
	if c.Subresource != "status" && k.Generation != nil && k.Generation(obj, old) {
		obj.SetGeneration(old.GetGeneration() + 1)
	}
	errs := apivalidation.ValidateObjectMetaAccessor(obj, k.Namespaced, alreadyNamed, field.NewPath("metadata"))
	errs = append(errs, finalizerFaults(obj)...)
	errs = append(errs, apivalidation.ValidateObjectMetaAccessorUpdate(obj, old, field.NewPath("metadata"))...)
	if rules.ValidateUpdate != nil {
		errs = append(errs, rules.ValidateUpdate(ctx, obj, old)...)
	}
	if len(errs) > 0 {
		return invalid(k, obj, errs)
	}
	return nil
}

// alreadyNamed: the name of an existing object was checked when it was made, perhaps by older rules.
func alreadyNamed(string, bool) []string { return nil }

// keepMetadata carries over what clients may leave out but not change.
func keepMetadata(obj, old kind.Object) {
	obj.SetResourceVersion(old.GetResourceVersion())
	obj.SetSelfLink("")
	if obj.GetUID() == "" {
		obj.SetUID(old.GetUID())
	}
	obj.SetCreationTimestamp(old.GetCreationTimestamp())
	obj.SetDeletionTimestamp(old.GetDeletionTimestamp())
	obj.SetDeletionGracePeriodSeconds(old.GetDeletionGracePeriodSeconds())
	if obj.GetGenerateName() == "" {
		obj.SetGenerateName(old.GetGenerateName())
	}
}

// commit writes the object, or removes it when this change took the last thing that held it.
func (r *Registry) commit(ctx context.Context, k *kind.Kind, c Change, obj kind.Object, old original) (kind.Object, error) {
	data, err := Encode(k, obj)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(data, old.data) {
		return old.Object, nil
	}
	release, err := reserve(c.Hooks, obj, old.Object)
	if err != nil {
		return nil, err
	}
	changed, err := r.replace(ctx, k, c, obj, old, data)
	settle(c.Hooks, release, err)
	return changed, err
}

// replace writes the object, whose encoding was made before anything was reserved for it.
func (r *Registry) replace(ctx context.Context, k *kind.Kind, c Change, obj kind.Object, old original, data []byte) (kind.Object, error) {
	if c.DryRun {
		return obj, nil
	}
	key := Key(k, obj.GetNamespace(), obj.GetName())
	if released(k, obj, old.Object) {
		revision, err := r.Store.Delete(ctx, key, Revision(old))
		if err != nil {
			return nil, outcome(err)
		}
		obj.SetResourceVersion(fmt.Sprint(revision))
		return obj, nil
	}
	if c.Reserve != nil { // it may have filled something in
		var err error
		if data, err = Encode(k, obj); err != nil {
			return nil, err
		}
	}
	return r.write(k, key, data, func() (int64, error) {
		return r.Store.Update(ctx, store.Put{Key: key, Value: data, TTL: k.Storage.TTL}, Revision(old))
	})
}

// held tells that something keeps an object that is being deleted.
func held(k *kind.Kind, obj kind.Object) bool {
	return len(obj.GetFinalizers()) > 0 || (k.Held != nil && k.Held(obj))
}

// released: the object is being deleted, its grace period is over, and this change takes away the last thing that held it.
func released(k *kind.Kind, obj, old kind.Object) bool {
	if old.GetDeletionTimestamp() == nil || held(k, obj) || !held(k, old) {
		return false
	}
	grace := obj.GetDeletionGracePeriodSeconds()
	return grace == nil || *grace == 0
}
