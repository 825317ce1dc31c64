package null

import (
	"net/http"
	"testing"
)

func untampered(real *upstream) http.Handler { return real }

func TestPlacesOfPaths(t *testing.T) {
	for path, want := range map[string][3]string{
		"/version":                                     {"", "/version", ""},
		"/api/v1/namespaces":                           {"", "/api/v1/namespaces", ""},
		"/api/v1/namespaces/a":                         {"", "/api/v1/namespaces/a", ""},
		"/api/v1/namespaces/a/configmaps":              {"a", "/api/v1/namespaces/a/configmaps", ""},
		"/api/v1/namespaces/a/configmaps/b":            {"a", "/api/v1/namespaces/a/configmaps", "b"},
		"/apis/g/v1/namespaces/a/things/b":             {"a", "/apis/g/v1/namespaces/a/things", "b"},
		"/api/v1/namespaces/a/serviceaccounts/b/token": {"", "/api/v1/namespaces/a/serviceaccounts/b/token", ""},
	} {
		namespace, collection, name := place(path)
		if got := [3]string{namespace, collection, name}; got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
