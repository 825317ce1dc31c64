// Package rootca publishes the CA of the apiserver in every namespace as the ConfigMap kube-root-ca.crt, which each pod's token volume carries.
//
// It owns those ConfigMaps. Namespaces feed it; kubelets read what it writes.
package rootca

import (
	"context"
	"maps"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

const (
	name        = "kube-root-ca.crt"
	description = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. " +
		"No other usage is guaranteed across distributions of Kubernetes clusters."
)

// Run publishes until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	l := loop.New(ctx, 1, w.Logger, func(ctx context.Context, namespace string) error { return sync(ctx, w, namespace) })
	loop.Keys[core.Namespace](l, w.Informers.Core().V1().Namespaces().Informer())
	loop.On(l, w.Informers.Core().V1().ConfigMaps().Informer(), func(old, new *core.ConfigMap) {
		if new == nil {
			new = old
		}
		if new.Name == name {
			l.Add(new.Namespace)
		}
	})
	return l.Run(ctx)
}

func sync(ctx context.Context, w *world.World, namespace string) error {
	ns, err := w.Informers.Core().V1().Namespaces().Lister().Get(namespace)
	if apierrors.IsNotFound(err) || err == nil && ns.Status.Phase != core.NamespaceActive {
		return nil
	}
	if err != nil {
		return err
	}
	data := map[string]string{"ca.crt": string(w.Settings.RootCA)}
	existing, err := w.Informers.Core().V1().ConfigMaps().Lister().ConfigMaps(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		made := &core.ConfigMap{
			ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: name, Annotations: map[string]string{"kubernetes.io/description": description}},
			Data:       data,
		}
		_, err := w.Client.CoreV1().ConfigMaps(namespace).Create(ctx, made, meta.CreateOptions{})
		if apierrors.IsAlreadyExists(err) || apierrors.HasStatusCause(err, core.NamespaceTerminatingCause) {
			return nil
		}
		return err
	}
	if err != nil || maps.Equal(existing.Data, data) && existing.Annotations["kubernetes.io/description"] != "" {
		return err
	}
	existing = existing.DeepCopy()
	existing.Data, existing.BinaryData = data, nil
	if existing.Annotations == nil {
		existing.Annotations = map[string]string{}
	}
	existing.Annotations["kubernetes.io/description"] = description
	_, err = w.Client.CoreV1().ConfigMaps(namespace).Update(ctx, existing, meta.UpdateOptions{})
	return err
}
