package openapi

import (
	"maps"
	"net/http"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// bodies of subresources that have another kind than their object.
var bodies = map[string]any{
	"Scale": autoscalingv1.Scale{}, "Eviction": policyv1.Eviction{}, "Binding": corev1.Binding{}, "TokenRequest": authenticationv1.TokenRequest{},
}

// connections are opened with options in the URL.
var connections = map[string]documented{
	"PodExecOptions": corev1.PodExecOptions{}, "PodAttachOptions": corev1.PodAttachOptions{}, "PodPortForwardOptions": corev1.PodPortForwardOptions{},
	"PodProxyOptions": corev1.PodProxyOptions{}, "ServiceProxyOptions": corev1.ServiceProxyOptions{}, "NodeProxyOptions": corev1.NodeProxyOptions{},
}

func (r *resource) subresources() {
	for _, name := range slices.Sorted(maps.Keys(r.kind.Subresources)) {
		sub := r.kind.Subresources[name]
		switch {
		case name == "log":
			r.log()
		case connections[sub.Kind.Kind] != nil:
			r.connect(name, &sub)
		default:
			r.subresource(name, &sub)
		}
	}
}

func (r *resource) subresource(name string, sub *kind.Subresource) {
	var sample any = r.version.New()
	of, named := sub.Kind, r.name()
	if of.Kind != "" {
		sample, named = bodies[of.Kind], of.Kind
	}
	path, rest, at := r.path("")+"/{name}/"+name, r.scoped()+titled(name), r.of(named)
	for _, verb := range sub.Verbs {
		switch verb {
		case "get":
			r.read(path, "read "+name+" of the specified "+r.name(), rest, sample, of, at)
		case "update":
			r.replace(path, "replace "+name+" of the specified "+r.name(), rest, sample, of, at)
		case "patch":
			r.patch(path, "partially update "+name+" of the specified "+r.name(), rest, sample, of, at)
		case "create":
			r.create(path, "create "+name+" of "+articled(r.name()), rest, sample, of, at)
		}
	}
}

// log is read as text.
func (r *resource) log() {
	r.add(operation{
		method: http.MethodGet, path: r.path("") + "/{name}/log", action: "get", description: "read log of the specified " + r.name(),
		makes: append([]string{"text/plain"}, objects...), answers: answers("", 200), parameters: query(corev1.PodLogOptions{}),
	}, "read", r.scoped()+"Log", r.of(r.name())...)
}

// methods of connections by their verb; a proxy takes all methods.
var methods = map[string][]string{
	"get": {http.MethodGet, http.MethodHead, http.MethodOptions}, "create": {http.MethodPost}, "update": {http.MethodPut}, "patch": {http.MethodPatch}, "delete": {http.MethodDelete},
}

func (r *resource) connect(name string, sub *kind.Subresource) {
	path, at := r.path("")+"/{name}/"+name, []parameter{nameOf(sub.Kind.Kind)}
	if r.kind.Namespaced {
		at = append(at, namespace)
	}
	for _, verb := range sub.Verbs {
		for _, method := range methods[verb] {
			if name != "proxy" && method != http.MethodGet && method != http.MethodPost {
				continue
			}
			word := titled(lower(method))
			o := operation{
				method: method, path: path, action: "connect", description: "connect " + method + " requests to " + name + " of " + r.name(),
				kind: sub.Kind, makes: anything, answers: answers("", 200), parameters: query(connections[sub.Kind.Kind]),
			}
			r.add(o, "connect", word+r.scoped()+titled(name), at...)
			if name == "proxy" {
				o.path += "/{path}"
				r.add(o, "connect", word+r.scoped()+titled(name)+"WithPath", append(slices.Clone(at), rest)...)
			}
		}
	}
}
