package objects

import (
	"context"
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Removal is one deletion under way.
type Removal struct {
	Namespace, Name string
	Options         metav1.DeleteOptions
	Hooks
}

// Delete implements Writer.
func (r *Registry) Delete(ctx context.Context, gr schema.GroupResource, namespace, name string) error {
	k, err := r.known(gr)
	if err != nil {
		return err
	}
	zero := int64(0)
	_, _, err = r.Remove(ctx, k, Removal{Namespace: namespace, Name: name, Options: metav1.DeleteOptions{GracePeriodSeconds: &zero}, Hooks: Hooks{Gate: Own}})
	return err
}

// Remove deletes an object, or begins to: it stays while finalizers or its grace period hold it. gone tells which.
func (r *Registry) Remove(ctx context.Context, k *kind.Kind, d Removal) (obj kind.Object, gone bool, err error) {
	if d.Gate == nil {
		return nil, false, errNoGate
	}
	err = r.fromPresent(ctx, k, d.Namespace, d.Name, func(present original) (written bool, err error) {
		obj, gone, err = r.removeOnce(ctx, k, d, present)
		return err == nil && !d.DryRun && (gone || obj.GetResourceVersion() != present.GetResourceVersion()), err
	})
	return obj, gone, err
}

func (r *Registry) removeOnce(ctx context.Context, k *kind.Kind, d Removal, present original) (kind.Object, bool, error) {
	if err := Meets(k, present.Object, d.Options.Preconditions); err != nil {
		return nil, false, err
	}
	if err := d.Gate.Admit(nil, present.Object); err != nil {
		return nil, false, err
	}
	if err := d.Gate.Validate(nil, present.Object); err != nil {
		return nil, false, err
	}
	marked := present.DeepCopyObject().(kind.Object)
	grace := r.mark(k, d.Options, marked)
	if grace == 0 && !held(k, marked) {
		return r.drop(ctx, k, d, present.Object)
	}
	if k.PrepareDelete != nil {
		k.PrepareDelete(marked)
	}
	changed, err := r.commit(ctx, k, Change{Name: d.Name, Hooks: Hooks{DryRun: d.DryRun}}, marked, present)
	return changed, false, err
}

// Meets tells by a conflict that an object is not the one, or not the version, that a deletion is meant for.
func Meets(k *kind.Kind, present kind.Object, p *metav1.Preconditions) error {
	if p == nil {
		return nil
	}
	what := schema.GroupResource{Group: k.Group, Resource: k.Names.Kind} // these conflicts name the kind
	if p.UID != nil && *p.UID != present.GetUID() {
		return apierrors.NewConflict(what, present.GetName(), preconditionError("UID", string(*p.UID), string(present.GetUID())))
	}
	if p.ResourceVersion != nil && *p.ResourceVersion != present.GetResourceVersion() {
		return apierrors.NewConflict(what, present.GetName(), preconditionError("ResourceVersion", *p.ResourceVersion, present.GetResourceVersion()))
	}
	return nil
}

func preconditionError(what, want, have string) error {
	return errors.New("the " + what + " in the precondition (" + want + ") does not match the " + what + " in record (" + have + "). The object might have been deleted and then recreated")
}

// mark sets the deletion's timestamps and finalizers, and returns the grace period that is left to wait for.
func (r *Registry) mark(k *kind.Kind, options metav1.DeleteOptions, obj kind.Object) int64 {
	setPropagation(k, options, obj)
	grace := int64(0)
	if k.GracePeriod != nil {
		grace = k.GracePeriod(obj, options.GracePeriodSeconds)
	}
	if had := ptr.Deref(obj.GetDeletionGracePeriodSeconds(), 0); obj.GetDeletionTimestamp() != nil && grace >= had {
		return had // a deletion under way may be hastened, not put off
	}
	now := r.Now().UTC().Truncate(time.Second)
	if obj.GetDeletionTimestamp() == nil && obj.GetGeneration() > 0 {
		obj.SetGeneration(obj.GetGeneration() + 1)
	}
	obj.SetDeletionTimestamp(&metav1.Time{Time: now.Add(time.Duration(grace) * time.Second)})
	obj.SetDeletionGracePeriodSeconds(&grace)
	return grace
}

// setPropagation obeys propagationPolicy, or orphanDependents of old clients, by the garbage collector's finalizers.
func setPropagation(k *kind.Kind, options metav1.DeleteOptions, obj kind.Object) {
	policy := k.DefaultPropagation
	if orphan := options.OrphanDependents; orphan != nil {
		policy = metav1.DeletePropagationBackground
		if *orphan {
			policy = metav1.DeletePropagationOrphan
		}
	}
	explicit := options.PropagationPolicy != nil || options.OrphanDependents != nil
	if options.PropagationPolicy != nil {
		policy = *options.PropagationPolicy
	}
	finalizers := obj.GetFinalizers()
	if explicit || policy != "" {
		finalizers = slices.DeleteFunc(slices.Clone(finalizers), func(f string) bool {
			return f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents
		})
	}
	switch policy {
	case metav1.DeletePropagationOrphan:
		finalizers = append(finalizers, metav1.FinalizerOrphanDependents)
	case metav1.DeletePropagationForeground:
		finalizers = append(finalizers, metav1.FinalizerDeleteDependents)
	}
	obj.SetFinalizers(finalizers)
}

// drop removes the object now.
func (r *Registry) drop(ctx context.Context, k *kind.Kind, d Removal, present kind.Object) (kind.Object, bool, error) {
	if d.DryRun {
		return present, true, nil
	}
	release, err := reserve(d.Hooks, nil, present)
	if err != nil {
		return nil, false, err
	}
	_, err = r.Store.Delete(ctx, Key(k, present.GetNamespace(), present.GetName()), Revision(present))
	err = outcome(err)
	settle(d.Hooks, release, err)
	return present, err == nil, err
}
