package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/plumb-k8s/plumb/conformance/check"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/cluster/containers"
	"github.com/plumb-k8s/plumb/conformance/cluster/kindconfig"
	"github.com/plumb-k8s/plumb/conformance/evidence"
)

// preflight prints what this machine lacks, a line each, and fails when there is anything.
func preflight(ctx context.Context, p *containers.Provider, shape *kindconfig.Cluster) error {
	missing, err := p.Preflight(ctx, shape)
	if err != nil {
		return err
	}
	for _, line := range missing {
		fmt.Fprintln(os.Stderr, "plumb:", line)
	}
	if len(missing) > 0 {
		return check.Infrastructure{Err: fmt.Errorf("this machine lacks %d things that a cluster needs: see above", len(missing))}
	}
	return nil
}

// keepTime bounds what is kept of a cluster that may be half dead.
const keepTime = time.Minute

// keep saves the nodes' logs and every object below dir, as far as the cluster can give them, and returns where. After an interruption it keeps
// nothing: there is no time.
func keep(ctx context.Context, c cluster.Cluster, dir string) (kept []string) {
	if ctx.Err() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	note := func(path string, err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "plumb: not all could be kept:", err)
		}
		kept = append(kept, path)
	}
	if nodes, ok := c.(interface {
		SaveLogs(ctx context.Context, dir string) error
	}); ok {
		logs := filepath.Join(dir, "logs")
		note(logs, nodes.SaveLogs(ctx, logs))
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(c.Kubeconfig())
	if err != nil {
		note(dir, err)
		return kept
	}
	cfg.QPS, cfg.Timeout = -1, keepTime/4
	objects := filepath.Join(dir, "objects")
	note(objects, evidence.Objects(ctx, cfg, objects))
	return kept
}
