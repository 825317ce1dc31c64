// Package serviceaccount gives every active namespace its default service account.
//
// It owns that account's being there and nothing in it. Namespaces feed it; admission gives the account to the pods that name none.
package serviceaccount

import (
	"context"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

const name = "default"

// Run makes default service accounts until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	l := loop.New(ctx, w.Settings.WorkersOf("serviceaccount"), w.Logger, func(ctx context.Context, namespace string) error {
		return sync(ctx, w, namespace)
	})
	loop.Keys[core.Namespace](l, w.Informers.Core().V1().Namespaces().Informer())
	loop.On(l, w.Informers.Core().V1().ServiceAccounts().Informer(), func(old, new *core.ServiceAccount) {
		if new == nil && old.Name == name {
			l.Add(old.Namespace)
		}
	})
	return l.Run(ctx)
}

func sync(ctx context.Context, w *world.World, namespace string) error {
	ns, err := w.Informers.Core().V1().Namespaces().Lister().Get(namespace)
	if apierrors.IsNotFound(err) || err == nil && (ns.DeletionTimestamp != nil || ns.Status.Phase == core.NamespaceTerminating) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := w.Informers.Core().V1().ServiceAccounts().Lister().ServiceAccounts(namespace).Get(name); err == nil {
		return nil
	}
	account := &core.ServiceAccount{ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: name}}
	_, err = w.Client.CoreV1().ServiceAccounts(namespace).Create(ctx, account, meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) || apierrors.HasStatusCause(err, core.NamespaceTerminatingCause) {
		return nil
	}
	return err
}
