package orchestrator_test

import (
	"os/exec"
	"strings"
	"testing"
)

// links says what an executable must never link, with the reason. Package initialisation of every import runs in each process of a file.
var links = []struct {
	program   string
	forbidden []string
	why       string
}{
	{"./cmd/node", []string{"go.etcd.io/", "github.com/google/cel-go", "cel.dev/", "github.com/containerd/containerd"}, "PID 1, kubelet, proxy and balancer run of it on every node: 8 MB and 32 ms each"},
	{"./cmd/cni", []string{"k8s.io/", "sigs.k8s.io/", "go.etcd.io/", "github.com/google/cel-go"}, "the CNI plugin runs for every pod and starts in under 5 ms"},
}

func TestProgramsStayLight(t *testing.T) {
	for _, l := range links {
		list, err := exec.CommandContext(t.Context(), "go", "list", "-deps", l.program).Output()
		if err != nil {
			t.Fatal(err)
		}
		for pkg := range strings.Lines(string(list)) {
			for _, forbidden := range l.forbidden {
				if strings.HasPrefix(pkg, forbidden) {
					t.Errorf("%s links %s: %s", l.program, strings.TrimSpace(pkg), l.why)
				}
			}
		}
	}
}
