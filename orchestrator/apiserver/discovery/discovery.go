// Package discovery tells clients what the apiserver serves: /api, /apis, the resources of each group version, plain and aggregated.
//
// It is derived from the catalogue alone; the table of routes mounts it. Documents are built once, at start.
package discovery

import (
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Handler serves every discovery document by its path.
type Handler struct {
	plain      map[string]document
	aggregated map[string]document
}

// document is one answer, encoded once.
type document struct {
	body []byte
	etag string
}

const mediaAggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

// New builds the documents of the kinds. address, host:port, is where clients that have only found some other way in reach this apiserver.
func New(kinds []*kind.Kind, address string) (*Handler, error) {
	groups := group(kinds)
	h := &Handler{plain: map[string]document{}, aggregated: map[string]document{}}
	add := func(path string, of any) error {
		d, err := newDocument(of)
		h.plain[path] = d
		return err
	}
	everyone := []metav1.ServerAddressByClientCIDR{{ClientCIDR: "0.0.0.0/0", ServerAddress: address}}
	if err := add("/api", &metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}, ServerAddressByClientCIDRs: everyone}); err != nil {
		return nil, err
	}
	list := &metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}, Groups: []metav1.APIGroup{}}
	for _, g := range groups {
		for _, v := range g.versions {
			if err := add(v.path(), v.resourceList()); err != nil {
				return nil, err
			}
		}
		if g.name == "" {
			continue
		}
		list.Groups = append(list.Groups, g.apiGroup())
		one := g.apiGroup()
		one.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
		if err := add("/apis/"+g.name, &one); err != nil {
			return nil, err
		}
	}
	if err := add("/apis", list); err != nil {
		return nil, err
	}
	return h, h.aggregate(groups)
}

func newDocument(of any) (document, error) {
	body, err := json.Marshal(of)
	if err != nil {
		return document{}, err
	}
	return document{body: append(body, '\n'), etag: fmt.Sprintf("%q", fmt.Sprintf("%X", sha512.Sum512(body)))}, nil
}

// aggregate builds the two documents that hold everything: the core group's, and all others'.
func (h *Handler) aggregate(groups []*apiGroup) error {
	for path, core := range map[string]bool{"/api": true, "/apis": false} {
		list := &apidiscoveryv2.APIGroupDiscoveryList{
			TypeMeta: metav1.TypeMeta{Kind: "APIGroupDiscoveryList", APIVersion: "apidiscovery.k8s.io/v2"}, Items: []apidiscoveryv2.APIGroupDiscovery{},
		}
		for _, g := range groups {
			if (g.name == "") == core {
				list.Items = append(list.Items, g.discovery())
			}
		}
		d, err := newDocument(list)
		if err != nil {
			return err
		}
		h.aggregated[path] = d
	}
	return nil
}

// ServeHTTP answers for the paths that Serves knows.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	d, media := h.plain[path], "application/json"
	if a, ok := h.aggregated[path]; ok && wantsAggregated(r.Header.Get("Accept")) {
		d, media = a, mediaAggregated
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("ETag", d.etag)
	w.Header().Set("Vary", "Accept")
	if slices.Contains(strings.Split(r.Header.Get("If-None-Match"), ","), d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(d.body)
}

// Serves tells whether there is a document at a path.
func (h *Handler) Serves(path string) bool {
	_, ok := h.plain[strings.TrimSuffix(path, "/")]
	return ok
}

// Paths of all documents, in no order.
func (h *Handler) Paths() []string { return slices.Collect(maps.Keys(h.plain)) }

// wantsAggregated: the first clause that names a form this server has decides.
func wantsAggregated(accept string) bool {
	for _, clause := range strings.Split(accept, ",") {
		media, params, err := mime.ParseMediaType(clause)
		if err != nil || media != "application/json" && media != "*/*" {
			continue
		}
		if params["as"] == "" {
			return false
		}
		if params["as"] == "APIGroupDiscoveryList" && params["v"] == "v2" && params["g"] == "apidiscovery.k8s.io" {
			return true
		}
	}
	return false
}
