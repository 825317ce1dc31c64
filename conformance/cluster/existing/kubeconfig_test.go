package existing

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A kubeconfig names its files from its own folder, and may hold several contexts.
func TestAKubeconfigHoldsWhatItNames(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("ca.crt", "the authority")
	path := put("config", `apiVersion: v1
kind: Config
current-context: one
contexts: [{name: one, context: {cluster: one, user: me}}, {name: two, context: {cluster: two, user: me}}]
clusters: [{name: one, cluster: {server: "https://one", certificate-authority: ca.crt}}, {name: two, cluster: {server: "https://two"}}]
users: [{name: me, user: {token: secret}}]
`)
	t.Setenv("KUBECONFIG", path)
	for name, row := range map[string]struct{ path, context, want, not string }{
		"its own context":  {path, "", base64.StdEncoding.EncodeToString([]byte("the authority")), "https://two"},
		"another context":  {path, "two", "https://two", "https://one"},
		"where kubectl is": {"", "one", "https://one", "https://two"},
	} {
		data, _, err := selfContained(row.path, row.context)
		if err != nil || !strings.Contains(string(data), row.want) || strings.Contains(string(data), row.not) {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
	if _, _, err := selfContained(path, "three"); err == nil || !strings.Contains(err.Error(), "there are one, two") {
		t.Errorf("an unknown context: %v", err)
	}
}
