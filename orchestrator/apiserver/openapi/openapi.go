// Package openapi serves /openapi/v2 and /openapi/v3: what clients such as kubectl explain, apply and diff ask about the API.
//
// Operations are derived from the catalogue, as routes and discovery are; definitions come from api/schema; kube-openapi's builders put
// them together, so that the documents have stock's form. A document is built when it is first asked for, kept compressed in the encodings
// that were asked for, and everything else of it is dropped. The table of routes mounts it.
package openapi

import (
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/common"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// gv is one version of a group; the empty one stands for no group.
type gv = schema.GroupVersion

// Handler serves the documents.
type Handler struct {
	v2 *document
	// v3 holds a document per path below /openapi/v3/: api/v1, apis/apps/v1, version, ...
	v3 map[string]*document
	// index lists them with their hashes.
	index *document
}

// New lists the documents of the kinds; none is built yet.
func New(kinds []*kind.Kind) *Handler {
	h := &Handler{v3: map[string]*document{}}
	var all []func() []common.Route
	add := func(path string, within gv, of func() []common.Route) {
		h.v3[path] = newV3("/openapi/v3/"+path, within, of)
		all = append(all, of)
	}
	for path, o := range plain() {
		add(path, gv{}, func() []common.Route { return []common.Route{o} })
	}
	for _, v := range versions(kinds) {
		if v.Group != "" && h.v3["apis/"+v.Group] == nil {
			add("apis/"+v.Group, gv{}, func() []common.Route { return []common.Route{groupOperation(v.Group)} })
		}
		add(place(v), v, func() []common.Route { return versionOperations(v, kinds) })
	}
	h.v2, h.index = newV2(all), newIndex(h.v3)
	return h
}

// versions served, each once.
func versions(kinds []*kind.Kind) []gv {
	var found []gv
	for _, k := range kinds {
		for i := range k.Versions {
			v := gv{Group: k.Group, Version: k.Versions[i].Name}
			if !slices.Contains(found, v) {
				found = append(found, v)
			}
		}
	}
	return found
}

// place of a group version in URLs, without slashes around it.
func place(v gv) string {
	if v.Group == "" {
		return "api/" + v.Version
	}
	return "apis/" + v.String()
}

// Serves tells whether a path is one of these documents.
func (h *Handler) Serves(path string) bool {
	return h.find(path) != nil
}

func (h *Handler) find(path string) *document {
	path = strings.TrimSuffix(path, "/")
	switch path {
	case "/openapi/v2":
		return h.v2
	case "/openapi/v3":
		return h.index
	}
	if name, ok := strings.CutPrefix(path, "/openapi/v3/"); ok {
		return h.v3[name]
	}
	return nil
}

// ServeHTTP answers for the paths that Serves knows.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d := h.find(r.URL.Path)
	if d == nil {
		http.NotFound(w, r)
		return
	}
	d.ServeHTTP(w, r)
}
