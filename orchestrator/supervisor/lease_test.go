package supervisor

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/api"
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
			kubeconfig := filepath.Join(t.TempDir(), "conf")
			text := `{"apiVersion":"v1","kind":"Config","current-context":"x","contexts":[{"name":"x","context":{"cluster":"x"}}],"clusters":[{"name":"x","cluster":{"server":"` + server.URL + `"}}]}`
			if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			client, err := api.New(kubeconfig, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			r := &releaser{client: client, node: "cp", logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
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
