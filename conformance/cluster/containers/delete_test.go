package containers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// An engine removes what ends by itself while Delete removes it too: neither is an error, and the network goes after the last container.
func TestDeleteBesideTheEngine(t *testing.T) {
	for name, c := range map[string]struct {
		removal, wait int
		gone          string
	}{
		"gone before":            {removal: http.StatusNotFound, gone: "removal"},
		"going":                  {removal: http.StatusConflict, wait: http.StatusOK, gone: "wait"},
		"gone in the meantime":   {removal: http.StatusConflict, wait: http.StatusNotFound, gone: "wait"},
		"removed by Delete only": {removal: http.StatusNoContent, gone: "removal"},
	} {
		t.Run(name, func(t *testing.T) {
			var saw record
			mux := http.NewServeMux()
			mux.HandleFunc("GET /{v}/containers/json", answer(&saw, "", http.StatusOK, `[{"Id":"helper"}]`))
			mux.HandleFunc("DELETE /{v}/containers/helper", answer(&saw, "removal", c.removal, `{"message":"removal"}`))
			mux.HandleFunc("POST /{v}/containers/helper/wait", answer(&saw, "wait", c.wait, `{"StatusCode":137,"message":"No such container"}`))
			mux.HandleFunc("GET /{v}/networks", answer(&saw, "", http.StatusOK, `[{"Id":"net","Name":"net"}]`))
			mux.HandleFunc("DELETE /{v}/networks/net", answer(&saw, "network", http.StatusNoContent, ""))
			if err := engineAt(t, mux).Delete(t.Context(), "ha"); err != nil {
				t.Fatal(err)
			}
			if want := []string{c.gone, "network"}; !slices.Equal(saw.order[len(saw.order)-2:], want) {
				t.Errorf("saw %q, want it to end with %q", saw.order, want)
			}
		})
	}
}

// What can't be removed is said, and keeps no other container from its removal.
func TestDeleteSaysWhatStays(t *testing.T) {
	var saw record
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{v}/containers/json", answer(&saw, "", http.StatusOK, `[{"Id":"stuck"},{"Id":"other"}]`))
	mux.HandleFunc("DELETE /{v}/containers/stuck", answer(&saw, "stuck", http.StatusInternalServerError, `{"message":"device busy"}`))
	mux.HandleFunc("DELETE /{v}/containers/other", answer(&saw, "other", http.StatusNoContent, ""))
	err := engineAt(t, mux).Delete(t.Context(), "ha")
	if want := "remove containers of ha: Error response from daemon: device busy"; fmt.Sprint(err) != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if slices.Sort(saw.order); !slices.Equal(saw.order, []string{"other", "stuck"}) {
		t.Errorf("saw %q, want both removed", saw.order)
	}
}

// record is what an engine was asked, in order.
type record struct {
	mu    sync.Mutex
	order []string
}

func answer(saw *record, what string, code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if what != "" {
			saw.mu.Lock()
			saw.order = append(saw.order, what)
			saw.mu.Unlock()
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

func engineAt(t *testing.T, engine http.Handler) *Provider {
	server := httptest.NewServer(engine)
	t.Cleanup(server.Close)
	docker, err := client.New(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithAPIVersion("1.51"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = docker.Close() })
	return &Provider{docker: &testcontainers.DockerClient{Client: docker}}
}
