package apiserver

import (
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/fields"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// streamed are subresources that connect a client to a node or a pod: their verb follows the method.
var streamed = []string{"exec", "attach", "portforward", "proxy", "log"}

// parse reads from method and URL what a request asks for (API reference, "Resource URIs").
func parse(r *http.Request) *request.Info {
	info := &request.Info{Path: r.URL.Path, Verb: strings.ToLower(r.Method)}
	parts := strings.FieldsFunc(r.URL.Path, func(c rune) bool { return c == '/' })
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		info.Version, parts = parts[1], parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		info.Group, info.Version, parts = parts[1], parts[2], parts[3:]
	default:
		return info
	}
	info.IsResource = true
	watching := parts[0] == "watch" && len(parts) > 1 // the deprecated form of ?watch=true
	if watching {
		parts = parts[1:]
	}
	locate(info, parts)
	info.Verb = verbOf(r, info, watching)
	return info
}

// locate fills in namespace, resource, name and subresource.
func locate(info *request.Info, parts []string) {
	if parts[0] == "namespaces" && len(parts) > 1 {
		info.Namespace = parts[1]
		// The subresources of a namespace itself are the only words that are no resource within it.
		if len(parts) > 2 && !slices.Contains([]string{"status", "finalize"}, parts[2]) {
			parts = parts[2:]
		}
	}
	info.Resource = parts[0]
	if len(parts) > 1 {
		info.Name = parts[1]
	}
	if len(parts) > 2 {
		info.Subresource = parts[2]
		info.Tail = strings.Join(parts[3:], "/")
	}
}

func verbOf(r *http.Request, info *request.Info, watching bool) string {
	switch r.Method {
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if info.Name == "" {
			return "deletecollection"
		}
		return "delete"
	case http.MethodGet, http.MethodHead:
		return readVerb(r, info, watching)
	}
	return strings.ToLower(r.Method)
}

func readVerb(r *http.Request, info *request.Info, watching bool) string {
	if slices.Contains(streamed, info.Subresource) {
		return "get"
	}
	if info.Name != "" && !watching {
		return "get" // one object is watched by a list of its name
	}
	nameFromSelector(r, info)
	if w := r.URL.Query().Get("watch"); watching || w == "true" || w == "1" {
		return "watch"
	}
	return "list"
}

// nameFromSelector lets those who may read one object by name list and watch it by metadata.name.
func nameFromSelector(r *http.Request, info *request.Info) {
	if info.Name != "" {
		return
	}
	selector, err := fields.ParseSelector(r.URL.Query().Get("fieldSelector"))
	if err != nil {
		return
	}
	if name, ok := selector.RequiresExactMatch("metadata.name"); ok {
		info.Name = name
	}
}
