// Package apitest makes clients of servers that tests play. Tests of the supervisor feed it a server's address; it knows only the client.
package apitest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/api"
)

// Client asks the server at an address.
func Client(t *testing.T, address string) *api.Client {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "conf")
	text := fmt.Sprintf(`{"current-context":"x","contexts":[{"name":"x","context":{"cluster":"x"}}],"clusters":[{"name":"x","cluster":{"server":%q}}]}`, address)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := api.New(kubeconfig, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
