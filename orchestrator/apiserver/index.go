package apiserver

import (
	"encoding/json"
	"net/http"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// list mounts the index of all paths outside the resources at /. What is mounted later stays unlisted.
func (t *routes) list() {
	var paths []string
	for path, handler := range t.paths {
		paths = append(paths, path)
		if checks, ok := handler.(*health); ok {
			for _, name := range checks.names(path) {
				paths = append(paths, path+"/"+name)
			}
		}
	}
	paths = append(append(paths, t.discovery.Paths()...), "/apis/", "/openapi/v2", "/openapi/v3", "/openapi/v3/")
	slices.Sort(paths)
	t.paths[""] = index(paths)
	t.paths["/index.html"] = t.paths[""]
}

// index answers with a list of paths.
type index []string

func (x index) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	body, err := json.MarshalIndent(metav1.RootPaths{Paths: x}, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}
