package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// check is one named condition of health.
type check struct {
	name string
	// ready checks count for /readyz only.
	readyOnly bool
	ok        func(context.Context) error
}

// health answers /healthz, /livez and /readyz: all checks, one of them, or without some, as the query asks.
type health struct{ checks []check }

// names of the checks below a root, /healthz, /livez or /readyz.
func (h *health) names(root string) []string {
	var names []string
	for _, c := range h.checks {
		if !c.readyOnly || root == "/readyz" {
			names = append(names, c.name)
		}
	}
	return names
}

// ServeHTTP implements http.Handler; a check that there is not is a 404.
func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	root, only, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if only != "" && !slices.Contains(h.names("/"+root), only) {
		notFound(w, r)
		return
	}
	exclude := r.URL.Query()["exclude"]
	var text strings.Builder
	failed := false
	for _, c := range h.checks {
		if (c.readyOnly && root != "readyz") || (only != "" && c.name != only) {
			continue
		}
		if slices.Contains(exclude, c.name) {
			fmt.Fprintf(&text, "[+]%s excluded: ok\n", c.name)
			continue
		}
		if err := c.ok(r.Context()); err != nil {
			failed = true
			fmt.Fprintf(&text, "[-]%s failed: reason withheld\n", c.name)
			continue
		}
		fmt.Fprintf(&text, "[+]%s ok\n", c.name)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, verbose := r.URL.Query()["verbose"]
	switch {
	case failed:
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "%s%s check failed\n", text.String(), root)
	case verbose:
		fmt.Fprintf(w, "%s%s check passed\n", text.String(), root)
	default:
		fmt.Fprint(w, "ok")
	}
}
