package apiserver

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumb-k8s/plumb/orchestrator/api"
	"github.com/plumb-k8s/plumb/orchestrator/api/schema"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
)

// world is a whole apiserver over the memory store: every part is the real one but authentication, which believes a header.
type world struct {
	testing.TB
	handler http.Handler
	server  *Server
}

// asUser is the header that names the sender and, behind commas, its groups. Without it a request comes from an administrator.
const asUser = "Test-User"

type believer struct{}

func (believer) Authenticate(r *http.Request) (*request.User, bool, error) {
	names := strings.Split(r.Header.Get(asUser), ",")
	if names[0] == "" {
		return &request.User{Name: "admin", Groups: []string{request.MastersGroup, request.AuthenticatedGroup}}, true, nil
	}
	return &request.User{Name: names[0], Groups: append(names[1:], request.AuthenticatedGroup)}, true, nil
}

// newWorld starts one on an empty store; it ends with the test. flags are kube-apiserver's.
func newWorld(t testing.TB, flags ...string) *world {
	t.Helper()
	return newWorldOn(t, memory.New(), flags...)
}

func newWorldOn(t testing.TB, backend store.Store, flags ...string) *world {
	t.Helper()
	server, build := newServer(t, backend, flags...)
	return run(t, server, build)
}

// run starts a server and waits until it has its first objects.
func run(t testing.TB, server *Server, build *partsBuilder) *world {
	t.Helper()
	handler, err := server.Handler()
	if err != nil {
		t.Fatal(err)
	}
	seeds, err := build.seeds()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.registry.Cache.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	bounded, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if err := server.registry.Cache.WaitReady(bounded); err != nil {
		t.Fatal(err)
	}
	if err := build.seed(bounded, server.registry, seeds); err != nil {
		t.Fatal(err)
	}
	return &world{TB: t, handler: handler, server: server}
}

// newServer joins one that does not run yet.
func newServer(t testing.TB, backend store.Store, flags ...string) (*Server, *partsBuilder) {
	t.Helper()
	var o options
	set := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	o.add(set)
	if err := set.Parse(append([]string{"--enable-admission-plugins=NodeRestriction", "--service-cluster-ip-range=10.96.0.0/16"}, flags...)); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.DiscardHandler)
	build := &partsBuilder{options: &o, logger: logger, store: backend}
	server, err := New(Config{Kinds: Catalogue(), Types: schema.New(api.All()), Store: backend, Advertised: "192.0.2.1:6443", CompressLists: true, Limits: o.limits, Parts: build.build, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	server.parts.Authenticator = believer{}
	return server, build
}

// answer of one request.
type answer struct {
	Code   int
	Header http.Header
	Body   []byte
}

// status of a refusal.
func (a answer) status() metav1.Status {
	var s metav1.Status
	_ = json.Unmarshal(a.Body, &s)
	return s
}

func (a answer) warnings() []string { return a.Header.Values("Warning") }

func (a answer) object(t testing.TB) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(a.Body, &u.Object); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
	return u
}

// Media types of request bodies.
const (
	asYAML      = "application/yaml"
	asJSON      = "application/json"
	asApply     = "application/apply-patch+yaml"
	asMerge     = "application/merge-patch+json"
	asJSONPatch = "application/json-patch+json"
	asStrategic = "application/strategic-merge-patch+json"
)

// send sends one request, as an administrator unless the headers, pairs of name and value, say otherwise.
func (w *world) send(method, url, media, body string, headers ...string) answer {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, url, strings.NewReader(body))
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	r.Header.Set("User-Agent", "tester/v1")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	return answer{Code: recorder.Code, Header: recorder.Result().Header, Body: recorder.Body.Bytes()}
}

// shown is send for what has to succeed; it returns the object.
func (w *world) shown(method, url, media, body string) *unstructured.Unstructured {
	w.Helper()
	a := w.send(method, url, media, body)
	if a.Code >= 300 {
		w.Fatalf("%s %s: %d %s", method, url, a.Code, a.Body)
	}
	return a.object(w.TB)
}

// do sends one request of a user; body is JSON or YAML, and a merge patch is JSON.
func (w *world) do(user, method, path, body string) answer {
	w.Helper()
	media := asYAML
	if method == http.MethodPatch {
		media = asMerge
	}
	return w.send(method, path, media, body, asUser, user)
}

// must is do for requests that have to succeed.
func (w *world) must(user, method, path, body string) answer {
	w.Helper()
	a := w.do(user, method, path, body)
	if a.Code >= 300 {
		w.Fatalf("%s %s: %d %s", method, path, a.Code, a.Body)
	}
	return a
}

// namespace makes one, with the ServiceAccount that pods need.
func (w *world) namespace(name string, labels ...string) {
	w.Helper()
	w.must("", http.MethodPost, "/api/v1/namespaces", "{apiVersion: v1, kind: Namespace, metadata: {name: "+name+", labels: {"+strings.Join(labels, ",")+"}}}")
	w.must("", http.MethodPost, "/api/v1/namespaces/"+name+"/serviceaccounts", "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default}}")
}

// grant lets a user do what the rules say, in the whole cluster.
func (w *world) grant(user, rules string) {
	w.Helper()
	w.must("", http.MethodPost, rbacPath+"clusterroles", "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: "+user+"}, rules: ["+rules+"]}")
	w.must("", http.MethodPost, rbacPath+"clusterrolebindings", "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: "+user+"}, "+
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "+user+"}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "+user+"}]}")
}

// refused checks code and message of a refusal. A message that ends in ... is a beginning.
func (w *world) refused(a answer, code int, message string) {
	w.Helper()
	got := a.status().Message
	start, open := strings.CutSuffix(message, "...")
	if a.Code != code || (got != message && !(open && strings.HasPrefix(got, start))) {
		w.Errorf("got %d %s\nwant %d %s", a.Code, got, code, message)
	}
}
