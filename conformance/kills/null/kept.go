package null

import (
	"encoding/json"
	"net/http"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func limitIgnored(real *upstream) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := r.Clone(r.Context())
		query := whole.URL.Query()
		query.Del("limit")
		whole.URL.RawQuery = query.Encode()
		real.ServeHTTP(w, whole)
	})
}

// haunted remembers what was created in namespaces, by path.
type haunted struct {
	real *upstream
	mu   sync.Mutex
	kept map[string]string
}

func ghosts(real *upstream) http.Handler { return &haunted{real: real, kept: map[string]string{}} }

func (h *haunted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	namespace, collection, name := place(r.URL.Path)
	asked := r.Method == http.MethodGet && name != ""
	made := r.Method == http.MethodPost && name == ""
	if namespace == "" || isWatch(r) || !asked && !made {
		h.real.ServeHTTP(w, r)
		return
	}
	plain := r.Clone(r.Context())
	plain.Header.Set("Accept", "application/json")
	plain.Header.Del("Accept-Encoding")
	answered := &recorder{header: http.Header{}}
	h.real.ServeHTTP(answered, plain)
	body := answered.body.String()
	h.mu.Lock()
	defer h.mu.Unlock()
	if made && answered.code == http.StatusCreated {
		object := &metav1.PartialObjectMetadata{}
		if json.Unmarshal(answered.body.Bytes(), object) == nil {
			h.kept[collection+"/"+object.Name] = body
		}
	}
	if old := h.kept[r.URL.Path]; asked && answered.code == http.StatusNotFound && old != "" {
		answer(w, http.StatusOK, old)
		return
	}
	answer(w, answered.code, body)
}
