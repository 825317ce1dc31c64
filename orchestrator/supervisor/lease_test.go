package supervisor

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/api"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/api/apitest"
)

func TestOnlyALeaseOfThisNodeIsReleased(t *testing.T) {
	for _, row := range []struct {
		name, holder string
		released     bool
	}{
		{"ours", "cp_1234", true},
		{"another node's", "cp2_1234", false},
		{"nobody's", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var written api.Object
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					if err := json.NewDecoder(r.Body).Decode(&written); err != nil {
						t.Error(err)
					}
				}
				lease := api.Object{"metadata": api.Object{"resourceVersion": "5"}, "spec": api.Object{"holderIdentity": row.holder}}
				if err := json.NewEncoder(w).Encode(lease); err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			r := &releaser{client: apitest.Client(t, server.URL), node: "cp", logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
			r.release(t.Context(), "kube-scheduler")
			if (written != nil) != row.released {
				t.Fatalf("written: %v", written)
			}
			if row.released && (written["spec"].(api.Object)["holderIdentity"] != "" || written["metadata"].(api.Object)["resourceVersion"] != "5") {
				t.Errorf("written: %v", written)
			}
		})
	}
}
