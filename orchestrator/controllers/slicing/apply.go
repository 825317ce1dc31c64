package slicing

import (
	"context"
	"errors"
	"fmt"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Apply writes what is new before it takes away what is old. wrote is told each new version. A namespace that is being deleted takes no slices, which is no error.
func Apply(ctx context.Context, client kubernetes.Interface, todo Changes, wrote func(version string)) error {
	var failed error
	for _, slice := range append(todo.Create, todo.Update...) {
		written, err := write(ctx, client, slice)
		switch {
		case err == nil:
			wrote(written.ResourceVersion)
		case !apierrors.HasStatusCause(err, core.NamespaceTerminatingCause):
			failed = errors.Join(failed, fmt.Errorf("write a slice of %s/%s: %w", slice.Namespace, slice.Labels[discovery.LabelServiceName], err))
		}
	}
	for _, slice := range todo.Remove {
		err := client.DiscoveryV1().EndpointSlices(slice.Namespace).Delete(ctx, slice.Name, meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions(string(slice.UID))})
		if err != nil && !apierrors.IsNotFound(err) {
			failed = errors.Join(failed, fmt.Errorf("delete slice %s/%s: %w", slice.Namespace, slice.Name, err))
		}
	}
	return failed
}

func write(ctx context.Context, client kubernetes.Interface, slice *discovery.EndpointSlice) (*discovery.EndpointSlice, error) {
	api := client.DiscoveryV1().EndpointSlices(slice.Namespace)
	if slice.UID == "" {
		return api.Create(ctx, slice, meta.CreateOptions{})
	}
	return api.Update(ctx, slice, meta.UpdateOptions{})
}
