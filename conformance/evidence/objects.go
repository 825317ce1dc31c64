// Package evidence keeps what a cluster was like when a run did not pass: every object that its API serves, events among them, a file for each
// resource.
//
// It is fed a client configuration and a folder by plumb check. What Secrets hold is left out.
package evidence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// Objects writes DIR/RESOURCE.GROUP.yaml for every resource that can be listed. It goes on after a failure and returns all of them.
func Objects(ctx context.Context, cfg *rest.Config, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	found, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	lists, err := found.ServerPreferredResources()
	errs := []error{err} // a group that does not answer does not hide the others
	api, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	for _, resource := range listable(lists) {
		errs = append(errs, write(ctx, api, resource, dir))
	}
	return errors.Join(errs...)
}

// listable are the resources that can be listed, subresources left out.
func listable(lists []*metav1.APIResourceList) (all []schema.GroupVersionResource) {
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			if slices.Contains(r.Verbs, "list") && !strings.Contains(r.Name, "/") {
				all = append(all, version.WithResource(r.Name))
			}
		}
	}
	return all
}

func write(ctx context.Context, api dynamic.Interface, resource schema.GroupVersionResource, dir string) error {
	list, err := api.Resource(resource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list %s: %w", resource.GroupResource(), err)
	}
	if len(list.Items) == 0 {
		return nil
	}
	var text strings.Builder
	for _, item := range list.Items {
		conceal(&item)
		data, err := yaml.Marshal(item.Object)
		if err != nil {
			return fmt.Errorf("write %s: %w", resource.GroupResource(), err)
		}
		fmt.Fprintf(&text, "---\n%s", data)
	}
	return os.WriteFile(filepath.Join(dir, resource.GroupResource().String()+".yaml"), []byte(text.String()), 0o644)
}

// conceal takes away what must not be kept, and what nobody reads.
func conceal(o *unstructured.Unstructured) {
	o.SetManagedFields(nil)
	if o.GetKind() == "Secret" {
		delete(o.Object, "data")
		delete(o.Object, "stringData")
		annotations := o.GetAnnotations()
		delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
		o.SetAnnotations(annotations)
	}
}
