// Package inuse protects storage that is in use: a PersistentVolumeClaim that a pod on a node mounts and a PersistentVolume that is bound stay,
// although they were deleted, until they are free.
//
// It owns the finalizers kubernetes.io/pvc-protection and kubernetes.io/pv-protection, which admission puts on new objects. It is fed by
// informers of claims, volumes and pods.
package inuse

import (
	"context"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// RunClaims protects claims until ctx ends.
func RunClaims(ctx context.Context, w *world.World) error {
	l := loop.New(ctx, 1, w.Logger, func(ctx context.Context, key string) error { return syncClaim(ctx, w, key) })
	loop.Keys[core.PersistentVolumeClaim](l, w.Informers.Core().V1().PersistentVolumeClaims().Informer())
	loop.On(l, w.Informers.Core().V1().Pods().Informer(), func(old, new *core.Pod) {
		p := new
		if p == nil {
			p = old
		}
		for i := range p.Spec.Volumes {
			if name := claimOf(p, &p.Spec.Volumes[i]); name != "" {
				l.Add(p.Namespace + "/" + name)
			}
		}
	})
	return l.Run(ctx)
}

func syncClaim(ctx context.Context, w *world.World, key string) error {
	namespace, name := loop.Split(key)
	claim, err := w.Informers.Core().V1().PersistentVolumeClaims().Lister().PersistentVolumeClaims(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	deleted, used := claim.DeletionTimestamp != nil, false
	if deleted {
		if used, err = anyUser(ctx, w, claim); err != nil {
			return err
		}
	}
	finalizers, ok := finalizersOf(claim.Finalizers, claimFinalizer, deleted, used)
	if ok {
		return nil
	}
	claim = claim.DeepCopy()
	claim.Finalizers = finalizers
	_, err = w.Client.CoreV1().PersistentVolumeClaims(namespace).Update(ctx, claim, meta.UpdateOptions{})
	return gone(err)
}

// anyUser asks the cache, and believes that there is none only of a live list: a pod may have been bound a moment ago.
func anyUser(ctx context.Context, w *world.World, claim *core.PersistentVolumeClaim) (bool, error) {
	cached, err := w.Informers.Core().V1().Pods().Lister().Pods(claim.Namespace).List(labels.Everything())
	if err != nil {
		return false, err
	}
	for _, p := range cached {
		if uses(p, claim) {
			return true, nil
		}
	}
	live, err := w.Client.CoreV1().Pods(claim.Namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return false, err
	}
	for i := range live.Items {
		if uses(&live.Items[i], claim) {
			return true, nil
		}
	}
	return false, nil
}

// gone: an object that is not there any more needs no protection.
func gone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// RunVolumes protects volumes until ctx ends.
func RunVolumes(ctx context.Context, w *world.World) error {
	l := loop.New(ctx, 1, w.Logger, func(ctx context.Context, name string) error { return syncVolume(ctx, w, name) })
	loop.Keys[core.PersistentVolume](l, w.Informers.Core().V1().PersistentVolumes().Informer())
	return l.Run(ctx)
}

func syncVolume(ctx context.Context, w *world.World, name string) error {
	volume, err := w.Informers.Core().V1().PersistentVolumes().Lister().Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	finalizers, ok := finalizersOf(volume.Finalizers, volumeFinalizer, volume.DeletionTimestamp != nil, volume.Status.Phase == core.VolumeBound)
	if ok {
		return nil
	}
	volume = volume.DeepCopy()
	volume.Finalizers = finalizers
	_, err = w.Client.CoreV1().PersistentVolumes().Update(ctx, volume, meta.UpdateOptions{})
	return gone(err)
}
