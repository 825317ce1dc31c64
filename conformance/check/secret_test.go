package check

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// credentials is a target whose kubeconfig is a secret.
type credentials struct{ bareTarget }

func (credentials) Kubeconfig() []byte { return []byte("token: secret") }

func TestTheKubeconfigIsNeverInTheReport(t *testing.T) {
	r := &Run{Target: credentials{}, Dir: t.TempDir()}
	remove, err := r.keepSecret()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(r.kubeconfig)
	if err != nil || info.Mode().Perm() != 0o600 || strings.HasPrefix(r.kubeconfig, r.Dir) {
		t.Errorf("%s: %v, %v", r.kubeconfig, info, err)
	}
	remove()
	if _, err := os.Stat(r.kubeconfig); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it stays: %v", err)
	}
}
