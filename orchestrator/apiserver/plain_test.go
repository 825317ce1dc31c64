package apiserver

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumb-k8s/plumb/orchestrator/api"
	"github.com/plumb-k8s/plumb/orchestrator/api/schema"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
)

// plainWorld is a whole apiserver on a store in memory, without TLS and admission. Everybody may do everything, but for what forbidden names.
type plainWorld struct {
	t       testing.TB
	handler http.Handler
	// forbidden verbs.
	forbidden map[string]bool
}

func (a *plainWorld) Authenticate(*http.Request) (*request.User, bool, error) {
	return &request.User{Name: "tester"}, true, nil
}

func (a *plainWorld) Authorize(_ context.Context, at *authz.Attributes) (authz.Decision, string, error) {
	if a.forbidden[at.Verb] {
		return authz.Deny, "", nil
	}
	return authz.Allow, "", nil
}

func newPlainWorld(t testing.TB) *plainWorld { return newWorldOn(t, memory.New()) }

func newWorldOn(t testing.TB, s store.Store) *plainWorld {
	t.Helper()
	a := &plainWorld{t: t, forbidden: map[string]bool{}}
	server, err := New(Config{
		Kinds: Catalogue(), Store: s, CompressLists: true, Logger: slog.New(slog.DiscardHandler), Types: schema.New(api.All()),
		Parts: func(*objects.Registry) (Parts, error) { return Parts{Authenticator: a, Authorizer: a}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Registry().Cache.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	if err := server.Registry().Cache.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	if a.handler, err = server.Handler(); err != nil {
		t.Fatal(err)
	}
	return a
}

// reply of a request.
type reply struct {
	code   int
	header http.Header
	body   []byte
}

// Media types of request bodies.
const (
	asJSON      = "application/json"
	asApply     = "application/apply-patch+yaml"
	asMerge     = "application/merge-patch+json"
	asJSONPatch = "application/json-patch+json"
	asStrategic = "application/strategic-merge-patch+json"
)

func (a *plainWorld) do(method, url, media, body string, headers ...string) reply {
	a.t.Helper()
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	r.Header.Set("User-Agent", "tester/v1")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	got, err := io.ReadAll(w.Result().Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return reply{w.Code, w.Result().Header, got}
}

// must is do for what has to succeed; it returns the object.
func (a *plainWorld) must(method, url, media, body string) *unstructured.Unstructured {
	a.t.Helper()
	got := a.do(method, url, media, body)
	if got.code >= 300 {
		a.t.Fatalf("%s %s: %d %s", method, url, got.code, got.body)
	}
	return got.object(a.t)
}

func (g reply) object(t testing.TB) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(g.body, &u.Object); err != nil {
		t.Fatalf("%v: %s", err, g.body)
	}
	return u
}

// owners is managedFields in short: "manager operation subresource fields", one line each.
func owners(t testing.TB, obj *unstructured.Unstructured) string {
	t.Helper()
	var lines []string
	for _, e := range obj.GetManagedFields() {
		line := e.Manager + " " + string(e.Operation)
		if e.Subresource != "" {
			line += " /" + e.Subresource
		}
		lines = append(lines, line+" "+string(e.FieldsV1.GetRawBytes()))
	}
	return strings.Join(lines, "\n")
}
