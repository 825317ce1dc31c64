package kills

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/kills/plane"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// ground is where specs run on a mutant.
type ground interface {
	// run checks requirements, with a program in place of the mutant's component; a nil mutant is the orchestrator as it is. dir keeps the report.
	run(ctx context.Context, m *Mutant, program string, ids []string, dir string) ([]verdict.Result, error)
	close()
}

// Grounds by the requirements: those of the API need no nodes, those of HA three control planes, all others one and two workers.
const (
	onPlane = "plane"
	small   = "kind-configs/small.yaml"
	ha      = "kind-configs/ha.yaml"
)

// groundOf a mutant.
func groundOf(m Mutant) string {
	if m.Shape != "" {
		return m.Shape
	}
	return groundFor(m.Kills)
}

func groundFor(ids []string) string {
	needed := onPlane
	for _, id := range ids {
		switch profile, _, _ := strings.Cut(id, "-"); profile {
		case "API":
		case "HA":
			return ha
		default:
			needed = small
		}
	}
	return needed
}

// checker runs plumb on what a ground offers.
type checker struct {
	// plumb is the harness's executable, of this checkout.
	plumb string
}

// check returns the results of the requirements; target are the flags that name it.
func (c checker) check(ctx context.Context, dir string, ids []string, target ...string) ([]verdict.Result, error) {
	args := append([]string{"check", "--focus", "^(" + strings.Join(ids, "|") + ") ", "--report-dir", dir}, target...)
	out, err := exec.CommandContext(ctx, c.plumb, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "output.txt"), out, 0o644); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		return nil, fmt.Errorf("plumb left no report: %w: %s", err, out)
	}
	var v struct{ Results []verdict.Result }
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, fmt.Errorf("report of plumb: %w", err)
	}
	return v.Results, nil
}

// planes is a ground without nodes: each mutant gets a control plane of its own.
type planes struct {
	checker
	control string
}

func (planes) close() {}

func (p planes) run(ctx context.Context, m *Mutant, program string, ids []string, dir string) ([]verdict.Result, error) {
	programs := plane.Of(p.control)
	if m != nil {
		programs = programs.With(m.Component, program)
	}
	home := filepath.Join(dir, "plane")
	if err := errors.Join(os.RemoveAll(home), os.MkdirAll(home, 0o755)); err != nil { // an earlier run's data are another cluster's
		return nil, err
	}
	running, err := plane.Start(ctx, home, programs)
	if err != nil {
		return nil, err
	}
	defer running.Stop()
	target, err := running.Target(running.URL)
	if err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(home, "admin.conf")
	if err := os.WriteFile(kubeconfig, target.Kubeconfig(), 0o600); err != nil {
		return nil, err
	}
	return p.check(ctx, dir, ids, "--kubeconfig", kubeconfig)
}
