package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
)

// mute is a store that can cease to say what its present is. It counts the entries that it lists.
type mute struct {
	store.Store
	silent atomic.Bool
	listed atomic.Int64
}

func (m *mute) Revision(ctx context.Context) (int64, error) {
	if m.silent.Load() {
		return 0, errors.New("no leader")
	}
	return m.Store.Revision(ctx)
}

func (m *mute) List(ctx context.Context, prefix string, o store.ListOptions) (store.Page, error) {
	page, err := m.Store.List(ctx, prefix, o)
	m.listed.Add(int64(len(page.Entries)))
	return page, err
}

// unknown knows nobody.
type unknown struct{}

func (unknown) Authenticate(*http.Request) (*request.User, bool, error) { return nil, false, nil }

func TestNothingIsDeniedByAStateThatMayBeOld(t *testing.T) {
	s := &mute{Store: memory.New()}
	w := newWorldOn(t, s)
	w.shown("POST", configMaps, asJSON, configMap("a", ""))
	s.silent.Store(true)
	for _, row := range []struct{ name, user, path string }{
		{"not authorized", "nobody", configMaps},
		{"may not impersonate", "nobody", "/api"},
		{"not found", "", configMaps + "/none"},
		{"a list", "", configMaps},
		{"a watch", "", configMaps + "?watch=1"},
	} {
		var headers []string
		if row.user != "" {
			headers = []string{asUser, row.user, "Impersonate-User", "other"}
		}
		if got := w.send("GET", row.path, "", "", headers...); got.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", row.name, got.Code, got.Body)
		}
	}
	w.server.parts.Authenticator = unknown{}
	handler, err := w.server.Handler()
	if err != nil {
		t.Fatal(err)
	}
	w.handler = handler
	if got := w.send("GET", configMaps, "", ""); got.Code != http.StatusServiceUnavailable {
		t.Errorf("not authenticated: %d %s", got.Code, got.Body)
	}
	s.silent.Store(false)
	if got := w.send("GET", configMaps, "", ""); got.Code != http.StatusUnauthorized {
		t.Errorf("not authenticated: %d %s", got.Code, got.Body)
	}
}

func TestProbesDoNotWaitForTheCache(t *testing.T) {
	server, _ := newServer(t, memory.New())
	server.parts.Authenticator = unknown{}
	handler, err := server.Handler()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, handler: handler}
	for path, want := range map[string]int{"/livez": 500, "/livez/ping": 200, "/healthz/ping": 200, "/healthz/etcd": 200, "/readyz": 500, "/readyz/informer-sync": 500} {
		if got := w.send("GET", path, "", ""); got.Code != want {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	if got := w.send("GET", "/version?timeout=50ms", "", ""); got.Code != http.StatusGatewayTimeout {
		t.Errorf("/version of a server that knows nobody yet: %d", got.Code)
	}
}

func TestHealthHasStocksNames(t *testing.T) {
	w := newWorld(t)
	hooks := []string{
		"poststarthook/start-apiserver-admission-initializer", "poststarthook/generic-apiserver-start-informers", "poststarthook/storage-readiness",
		"poststarthook/start-system-namespaces-controller", "poststarthook/start-cluster-authentication-info-controller", "poststarthook/rbac/bootstrap-roles",
		"poststarthook/scheduling/bootstrap-system-priority-classes", "poststarthook/bootstrap-controller",
	}
	for root, names := range map[string][]string{
		"healthz": slices.Concat([]string{"ping", "log", "etcd"}, hooks),
		"livez":   slices.Concat([]string{"ping", "log", "etcd"}, hooks),
		"readyz":  slices.Concat([]string{"ping", "log", "etcd", "etcd-readiness", "informer-sync"}, hooks, []string{"shutdown"}),
	} {
		want := ""
		for _, name := range names {
			want += "[+]" + name + " ok\n"
			if got := w.must("", "GET", "/"+root+"/"+name, ""); string(got.Body) != "ok" {
				t.Errorf("/%s/%s: %s", root, name, got.Body)
			}
		}
		want += root + " check passed\n"
		if got := string(w.must("", "GET", "/"+root+"?verbose", "").Body); got != want {
			t.Errorf("/%s: %s", root, got)
		}
	}
	got := string(w.must("", "GET", "/readyz?verbose&exclude=etcd&exclude=nope", "").Body)
	if !strings.Contains(got, "[+]etcd excluded: ok\n[+]etcd-readiness ok\n") || !strings.HasSuffix(got, "\nwarn: some health checks cannot be excluded: no matches for \"nope\"\nreadyz check passed\n") {
		t.Error(got)
	}
	for _, path := range []string{"/readyz/nope", "/livez/shutdown"} {
		if got := w.send("GET", path, "", ""); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	w.server.stopping.Store(true)
	if got := w.send("GET", "/readyz", "", ""); got.Code != http.StatusInternalServerError || !strings.HasSuffix(string(got.Body), "[-]shutdown failed: reason withheld\nreadyz check failed\n") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// compacted makes a store forget its first revisions.
func compacted(t *testing.T, s store.Store, writes int) {
	t.Helper()
	for i := range writes {
		if _, err := s.Create(t.Context(), store.Put{Key: fmt.Sprint("/elsewhere/", i), Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	revision, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(t.Context(), revision); err != nil {
		t.Fatal(err)
	}
}

func TestAPageOfThePastIsReadAlone(t *testing.T) {
	s := &mute{Store: memory.New()}
	w := newWorldOn(t, s)
	for i := range 40 {
		w.shown("POST", configMaps, asJSON, configMap(fmt.Sprintf("m%02d", i), ""))
	}
	w.namespace("other")
	w.shown("POST", "/api/v1/namespaces/other/configmaps", asJSON, strings.Replace(configMap("x", ""), `"namespace":"default"`, `"namespace":"other"`, 1))
	then := w.shown("GET", configMaps, "", "").GetResourceVersion()
	w.shown("DELETE", configMaps+"/m05", "", "")
	w.shown("PATCH", configMaps+"/m06", asMerge, `{"metadata":{"labels":{"l":"new"}}}`)
	for i := range 4200 { // more than a new cache replays
		if _, err := s.Create(t.Context(), store.Put{Key: fmt.Sprint("/elsewhere/", i), Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	w = newWorldOn(t, s)
	exactly := configMaps + "?resourceVersionMatch=Exact&resourceVersion=" + then
	list := func(url string, most int64) (names []string, next string, remaining any) {
		t.Helper()
		before := s.listed.Load()
		u := w.shown("GET", url, "", "")
		if read := s.listed.Load() - before; read > most {
			t.Errorf("%s: %d entries were read", url, read)
		}
		for _, item := range u.Object["items"].([]any) {
			names = append(names, item.(map[string]any)["metadata"].(map[string]any)["name"].(string))
		}
		metadata := u.Object["metadata"].(map[string]any)
		next, _ = metadata["continue"].(string)
		if metadata["resourceVersion"] != then {
			t.Errorf("%s: at %v", url, metadata["resourceVersion"])
		}
		return names, next, metadata["remainingItemCount"]
	}
	var all []string
	names, next, remaining := list(exactly+"&limit=15", 15)
	if remaining != float64(25) {
		t.Errorf("%v remain", remaining)
	}
	tokens := []string{next}
	for all = names; next != ""; all = append(all, names...) {
		names, next, _ = list(configMaps+"?limit=15&continue="+next, 15)
	}
	if len(all) != 40 || all[0] != "m00" || all[5] != "m05" || !slices.IsSorted(all) {
		t.Errorf("%d in pages: %v", len(all), all)
	}
	if names, _, _ := list(exactly, 40); !slices.Equal(names, all) {
		t.Errorf("at once: %v", names)
	}
	if names, _, _ := list(exactly+"&labelSelector=l%3Dnew", 40); len(names) != 0 {
		t.Errorf("labelled later: %v", names)
	}
	if names, next, _ := list(exactly+"&limit=2&labelSelector=l!%3Dnew", 40); len(names) != 2 || next == "" {
		t.Errorf("not labelled: %v, %q", names, next)
	}
	revision, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(t.Context(), revision); err != nil {
		t.Fatal(err)
	}
	if got := w.send("GET", exactly, "", ""); got.Code != http.StatusGone {
		t.Errorf("compacted: %d %s", got.Code, got.Body)
	}
	if got := w.send("GET", configMaps+"?limit=15&continue="+tokens[0], "", ""); got.Code != http.StatusGone || got.status().Continue == "" {
		t.Errorf("compacted: %d %s", got.Code, got.Body)
	}
}
