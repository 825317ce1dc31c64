package kills

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// CNI is the component of mutants of the plugin that the runtime calls.
const CNI = "cni"

// program of cmd that holds a component.
func (m Mutant) program() string {
	switch {
	case m.Component == CNI:
		return CNI
	case slices.Contains([]string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}, m.Component):
		return "control"
	}
	return "node"
}

// build makes the program of a mutant in dir, with the flags of fixtures/build, so that all but the mutated file and what imports it comes from
// go's cache.
func (m Mutant) build(ctx context.Context, root, dir string) (string, error) {
	source, err := m.Source(root)
	if err != nil {
		return "", err
	}
	mutated := filepath.Join(dir, filepath.Base(m.File))
	if err := os.WriteFile(mutated, source, 0o644); err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.path(root))
	if err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		return "", err
	}
	overlayFile, built := filepath.Join(dir, "overlay.json"), filepath.Join(dir, m.program())
	if err := os.WriteFile(overlayFile, overlay, 0o644); err != nil {
		return "", err
	}
	c := exec.CommandContext(ctx, "go", "build", "-overlay", overlayFile, "-trimpath", "-buildvcs=false", "-tags", "", "-ldflags", "-s -w",
		"-o", built, "./"+orchestrator+"/cmd/"+m.program())
	c.Dir, c.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build mutant %s: %w: %s", m.Name, err, out)
	}
	return built, nil
}
