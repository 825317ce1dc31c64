package apiserver

import (
	"encoding/json"
	"net/http"
	"runtime"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/discovery"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/openapi"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Version is what /version says: the API that is served, by whom.
var Version = version.Info{
	Major: "1", Minor: "37", GitVersion: "v1.37.2+plumb", GitTreeState: "clean", Compiler: runtime.Compiler,
	GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
}

// routes is the one table of what is served where: built from the catalogue, it decides the last step of every request.
type routes struct {
	resources map[schema.GroupVersionResource]route
	paths     map[string]http.Handler
	discovery *discovery.Handler
	openapi   *openapi.Handler
	endpoints *endpoint.Endpoints
}

// route is one resource in one version.
type route struct {
	kind    *kind.Kind
	version *kind.Version
	// mounts are handlers in place of the endpoints, by subresource; the empty one stands for the resource itself.
	mounts map[string]http.Handler
}

func newRoutes(kinds []*kind.Kind, address string, endpoints *endpoint.Endpoints, mounts []endpoint.Mount, health *health) (*routes, error) {
	documents, err := discovery.New(kinds, address)
	if err != nil {
		return nil, err
	}
	t := &routes{resources: map[schema.GroupVersionResource]route{}, discovery: documents, openapi: openapi.New(kinds), endpoints: endpoints}
	for _, k := range kinds {
		handlers := map[string]http.Handler{}
		for _, m := range mounts {
			if m.Resource == k.GroupResource() {
				handlers[m.Subresource] = m.Handler
			}
		}
		for i := range k.Versions {
			t.resources[k.GroupResource().WithVersion(k.Versions[i].Name)] = route{k, &k.Versions[i], handlers}
		}
	}
	t.paths = map[string]http.Handler{
		"/healthz": health, "/livez": health, "/readyz": health,
		"/version": http.HandlerFunc(serveVersion),
	}
	return t, nil
}

// ServeHTTP sends a request to its handler; what has none is a 404.
func (t *routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	info := request.InfoFrom(r.Context())
	if !info.IsResource {
		t.servePath(w, r)
		return
	}
	found, ok := t.resources[schema.GroupVersionResource{Group: info.Group, Version: info.Version, Resource: info.Resource}]
	if !ok {
		notFound(w, r)
		return
	}
	if found.version.Deprecated != "" {
		endpoint.Warn(w, found.version.Deprecated)
	}
	if handler := found.mounts[info.Subresource]; handler != nil {
		handler.ServeHTTP(w, r)
		return
	}
	if err := found.permits(r, info); err != nil {
		endpoint.WriteError(w, r, err)
		return
	}
	t.endpoints.Serve(w, r, found.kind, found.version)
}

// known tells whether something is served for a request.
func (t *routes) known(v *visit) bool {
	info := v.info
	if !info.IsResource {
		path := strings.TrimSuffix(info.Path, "/")
		return isProbe(info) || t.paths[path] != nil || t.discovery.Serves(path) || t.openapi.Serves(path)
	}
	found, ok := t.resources[schema.GroupVersionResource{Group: info.Group, Version: info.Version, Resource: info.Resource}]
	if !ok {
		return false
	}
	_, part := found.kind.Subresources[info.Subresource]
	return part || info.Subresource == "" || found.mounts[info.Subresource] != nil
}

// permits checks scope and verb against the catalogue.
func (f route) permits(r *http.Request, info *request.Info) error {
	writesOne := slices.Contains([]string{"get", "create", "update", "patch", "delete"}, info.Verb)
	if f.kind.Namespaced && info.Namespace == "" && writesOne {
		return apierrors.NewGenericServerResponse(http.StatusNotFound, "", schema.GroupResource{}, "", "the server could not find the requested resource", 0, true)
	}
	named := slices.Contains([]string{"update", "patch"}, info.Verb)
	if r.Method == http.MethodHead || named && info.Name == "" || info.Verb == "create" && info.Name != "" && info.Subresource == "" {
		return endpoint.MethodNotAllowed(r)
	}
	if info.Subresource != "" {
		return nil
	}
	verbs := f.kind.Verbs
	if verbs == nil {
		verbs = kind.AllVerbs
	}
	if !slices.Contains(verbs, info.Verb) {
		return endpoint.MethodNotAllowed(r)
	}
	return nil
}

func (t *routes) servePath(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	if t.discovery.Serves(path) && r.Method != http.MethodGet {
		endpoint.WriteError(w, r, endpoint.MethodNotAllowed(r))
		return
	}
	if handler, ok := t.paths[path]; ok {
		handler.ServeHTTP(w, r)
		return
	}
	if first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); t.paths["/"+first] != nil {
		t.paths["/"+first].ServeHTTP(w, r)
		return
	}
	if t.discovery.Serves(path) {
		t.discovery.ServeHTTP(w, r)
		return
	}
	if t.openapi.Serves(path) {
		t.openapi.ServeHTTP(w, r)
		return
	}
	notFound(w, r)
}

// notFound is stock's answer for paths that nobody serves.
func notFound(w http.ResponseWriter, r *http.Request) {
	endpoint.WriteError(w, r, &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound,
		Message: "the server could not find the requested resource", Details: &metav1.StatusDetails{},
	}})
}

func serveVersion(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		endpoint.WriteError(w, r, endpoint.MethodNotAllowed(r))
		return
	}
	body, err := json.MarshalIndent(Version, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}
