package openapi

import (
	"net/http"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/common"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

var (
	anything = []string{"*/*"}
	objects  = []string{"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"}
	streams  = []string{"application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"}
	patches  = []string{"application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"}
)

// resource derives the operations of one kind in one version.
type resource struct {
	gv      schema.GroupVersion
	kind    *kind.Kind
	version *kind.Version
	made    []common.Route
}

// versionOperations are all operations of a group version: its list of resources, and each kind's.
func versionOperations(gv schema.GroupVersion, kinds []*kind.Kind) []common.Route {
	made := []common.Route{resourcesOperation(gv)}
	for _, k := range kinds {
		for i := range k.Versions {
			if k.Group == gv.Group && k.Versions[i].Name == gv.Version {
				r := resource{gv: gv, kind: k, version: &k.Versions[i]}
				r.collection()
				r.object()
				r.watches()
				r.subresources()
				made = append(made, r.made...)
			}
		}
	}
	return made
}

func (r *resource) serves(verb string) bool {
	verbs := r.kind.Verbs
	if verbs == nil {
		verbs = kind.AllVerbs
	}
	return slices.Contains(verbs, verb)
}

func (r *resource) name() string { return r.kind.Names.Kind }

// scoped is the kind's name in operation IDs.
func (r *resource) scoped() string {
	if r.kind.Namespaced {
		return "Namespaced" + r.name()
	}
	return r.name()
}

// path of the collection, with a prefix such as /watch behind the version.
func (r *resource) path(prefix string) string {
	path := "/" + place(r.gv) + prefix
	if r.kind.Namespaced {
		path += "/namespaces/{namespace}"
	}
	return path + "/" + r.kind.Resource
}

// add completes an operation with what all of this kind have in common.
func (r *resource) add(o operation, verb, rest string, parameters ...parameter) {
	o.id, o.tag = identifier(r.gv, verb, rest), tag(r.gv.Group, r.gv.Version)
	if o.kind.Kind == "" {
		o.kind = r.gv.WithKind(r.name())
	}
	if o.consumes == nil {
		o.consumes = anything
	}
	if o.makes == nil {
		o.makes = objects
	}
	o.parameters = slices.Concat(o.parameters, parameters)
	r.made = append(r.made, &o)
}

// within are the path parameters of a collection.
func (r *resource) within() []parameter {
	if r.kind.Namespaced {
		return []parameter{namespace, pretty}
	}
	return []parameter{pretty}
}

// of are the path parameters of an object of the named kind.
func (r *resource) of(name string) []parameter {
	return append(r.within(), nameOf(name))
}

func (r *resource) collection() {
	path := r.path("")
	if r.serves("list") {
		r.list(path, r.scoped(), r.within())
	}
	if r.serves("create") {
		r.create(path, "create "+articled(r.name()), r.scoped(), r.version.New(), schema.GroupVersionKind{}, r.within())
	}
	if r.serves("deletecollection") {
		r.add(operation{
			method: http.MethodDelete, path: path, action: "deletecollection", description: "delete collection of " + r.name(),
			body: metav1.DeleteOptions{}, answers: answers(metav1.Status{}, 200), parameters: append(collectionDeletion(), body(false)),
		}, "delete", "Collection"+r.scoped(), r.within()...)
	}
	if r.kind.Namespaced && r.serves("list") {
		r.list("/"+place(r.gv)+"/"+r.kind.Resource, r.name()+"ForAllNamespaces", []parameter{pretty})
	}
}

func (r *resource) list(path, rest string, within []parameter) {
	o := operation{
		method: http.MethodGet, path: path, action: "list", description: "list objects of kind " + r.name(),
		makes: objects, answers: answers(r.version.NewList(), 200), parameters: query(metav1.ListOptions{}),
	}
	if r.serves("watch") {
		o.description = "list or watch objects of kind " + r.name()
		o.makes = slices.Concat(objects, streams)
	}
	r.add(o, "list", rest, within...)
}

func (r *resource) create(path, description, rest string, sample any, of schema.GroupVersionKind, within []parameter) {
	r.add(operation{
		method: http.MethodPost, path: path, action: "post", description: description, kind: of,
		body: sample, answers: answers(sample, 200, 201, 202), parameters: append(query(metav1.CreateOptions{}), body(true)),
	}, "create", rest, within...)
}

func (r *resource) object() {
	path, sample, name := r.path("")+"/{name}", r.version.New(), articled(r.name())
	if r.serves("get") {
		r.read(path, "read the specified "+r.name(), r.scoped(), sample, schema.GroupVersionKind{}, r.of(r.name()))
	}
	if r.serves("update") {
		r.replace(path, "replace the specified "+r.name(), r.scoped(), sample, schema.GroupVersionKind{}, r.of(r.name()))
	}
	if r.serves("patch") {
		r.patch(path, "partially update the specified "+r.name(), r.scoped(), sample, schema.GroupVersionKind{}, r.of(r.name()))
	}
	if r.serves("delete") {
		var gone any = metav1.Status{}
		if r.kind.Returned {
			gone = sample
		}
		r.add(operation{
			method: http.MethodDelete, path: path, action: "delete", description: "delete " + name,
			body: metav1.DeleteOptions{}, answers: answers(gone, 200, 202), parameters: append(query(metav1.DeleteOptions{}), body(false)),
		}, "delete", r.scoped(), r.of(r.name())...)
	}
}

func (r *resource) read(path, description, rest string, sample any, of schema.GroupVersionKind, at []parameter) {
	r.add(operation{method: http.MethodGet, path: path, action: "get", description: description, kind: of, answers: answers(sample, 200)}, "read", rest, at...)
}

func (r *resource) replace(path, description, rest string, sample any, of schema.GroupVersionKind, at []parameter) {
	r.add(operation{
		method: http.MethodPut, path: path, action: "put", description: description, kind: of,
		body: sample, answers: answers(sample, 200, 201), parameters: append(query(metav1.UpdateOptions{}), body(true)),
	}, "replace", rest, at...)
}

func (r *resource) patch(path, description, rest string, sample any, of schema.GroupVersionKind, at []parameter) {
	r.add(operation{
		method: http.MethodPatch, path: path, action: "patch", description: description, kind: of, consumes: patches,
		body: metav1.Patch{}, answers: answers(sample, 200, 201), parameters: append(query(metav1.PatchOptions{}), body(true)),
	}, "patch", rest, at...)
}

// watches are the paths from before the watch parameter.
func (r *resource) watches() {
	if !r.serves("watch") {
		return
	}
	all := query(metav1.ListOptions{})
	one := operation{method: http.MethodGet, action: "watchlist", makes: slices.Concat(objects, streams), answers: answers(metav1.WatchEvent{}, 200), parameters: all}
	one.description = "watch individual changes to a list of " + r.name() + ". deprecated: use the 'watch' parameter with a list operation instead."
	one.path = r.path("/watch")
	r.add(one, "watch", r.scoped()+"List", r.within()...)
	if r.kind.Namespaced {
		one.path = "/" + place(r.gv) + "/watch/" + r.kind.Resource
		r.add(one, "watch", r.name()+"ListForAllNamespaces", pretty)
	}
	if r.serves("get") {
		one.action, one.path = "watch", r.path("/watch")+"/{name}"
		one.description = "watch changes to an object of kind " + r.name() + ". deprecated: use the 'watch' parameter with a list operation instead, filtered to a single item with the 'fieldSelector' parameter."
		r.add(one, "watch", r.scoped(), r.of(r.name())...)
	}
}
