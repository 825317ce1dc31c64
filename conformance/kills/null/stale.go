package null

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// stale is a cache that is one write behind, in each namespace for itself.
type stale struct {
	real *upstream
	mu   sync.Mutex
	// before is the version that each namespace had before the last write to it.
	before map[string]string
}

func staleCache(real *upstream) http.Handler { return &stale{real: real, before: map[string]string{}} }

func (s *stale) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	namespace, collection, name := place(r.URL.Path)
	query := r.URL.Query()
	switch {
	case namespace == "" || isWatch(r) || query.Has("continue") || query.Has("resourceVersionMatch"):
		s.real.ServeHTTP(w, r)
	case r.Method != http.MethodGet:
		s.write(w, r, namespace)
	default:
		s.mu.Lock()
		version := s.before[namespace]
		s.mu.Unlock()
		if version == "" {
			s.real.ServeHTTP(w, r)
			return
		}
		s.then(w, r, version, collection, name)
	}
}

// write passes a write on, and remembers the version before it if it succeeds.
func (s *stale) write(w http.ResponseWriter, r *http.Request, namespace string) {
	version := s.version(r, namespace)
	answered := &recorder{header: w.Header()}
	s.real.ServeHTTP(answered, r)
	if version != "" && answered.code < http.StatusMultipleChoices {
		s.mu.Lock()
		s.before[namespace] = version
		s.mu.Unlock()
	}
	w.WriteHeader(answered.code)
	_, _ = w.Write(answered.body.Bytes())
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header            { return r.header }
func (r *recorder) WriteHeader(code int)           { r.code = code }
func (r *recorder) Write(data []byte) (int, error) { return r.body.Write(data) }

// then answers a read as of a version; that of one object is a list of that object alone.
func (s *stale) then(w http.ResponseWriter, r *http.Request, version, collection, name string) {
	old := r.Clone(r.Context())
	query := old.URL.Query()
	query.Set("resourceVersion", version)
	query.Set("resourceVersionMatch", string(metav1.ResourceVersionMatchExact))
	if name == "" {
		old.URL.RawQuery = query.Encode()
		s.real.ServeHTTP(w, old)
		return
	}
	query.Set("fieldSelector", "metadata.name="+name)
	old.URL.Path, old.URL.RawQuery = collection, query.Encode()
	old.Header.Set("Accept", "application/json")
	old.Header.Del("Accept-Encoding")
	answered := &recorder{header: http.Header{}}
	s.real.ServeHTTP(answered, old)
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if answered.code != http.StatusOK || json.Unmarshal(answered.body.Bytes(), &list) != nil {
		answer(w, answered.code, answered.body.String())
		return
	}
	if len(list.Items) == 0 {
		notFound(w, r)
		return
	}
	answer(w, http.StatusOK, string(list.Items[0]))
}

// version asks for the present one of a namespace.
func (s *stale) version(r *http.Request, namespace string) string {
	ask := r.Clone(r.Context())
	ask.Method, ask.Body, ask.ContentLength = http.MethodGet, nil, 0
	ask.Header = http.Header{"Accept": {"application/json"}}
	ask.URL.Path, ask.URL.RawQuery = "/api/v1/namespaces/"+namespace+"/configmaps", ""
	answered := &recorder{header: http.Header{}}
	s.real.admin.ServeHTTP(answered, ask)
	list := &metav1.PartialObjectMetadataList{}
	if answered.code != http.StatusOK || json.Unmarshal(answered.body.Bytes(), list) != nil {
		return ""
	}
	return list.ResourceVersion
}

// place takes a path apart: the namespace (empty for what stands outside of all), the collection's path and the object's name. Paths of
// subresources count as outside: nothing reads them here.
func place(p string) (namespace, collection, name string) {
	words := strings.Split(strings.Trim(p, "/"), "/")
	for i, word := range words {
		if word != "namespaces" || len(words) < i+3 {
			continue
		}
		switch len(words) - i {
		case 3:
			return words[i+1], p, ""
		case 4:
			return words[i+1], path.Dir(p), words[i+3]
		}
	}
	return "", p, ""
}
