package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestNodeStaysLight: package initialisation of every import runs in PID 1, kubelet, proxy and balancer of every node.
func TestNodeStaysLight(t *testing.T) {
	list, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.Lines(string(list)) {
		for _, forbidden := range []string{"go.etcd.io/", "github.com/google/cel-go", "cel.dev/", "github.com/containerd/containerd"} {
			if strings.HasPrefix(pkg, forbidden) {
				t.Errorf("links %s", strings.TrimSpace(pkg))
			}
		}
	}
}
