package supervisor

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/api"
)

// releaseTimeout bounds a release: after it the Lease is about to expire anyway.
const releaseTimeout = 1500 * time.Millisecond

// leaders are the components that lead by a Lease of their name.
var leaders = map[string]bool{"kube-controller-manager": true, "kube-scheduler": true}

// releaser gives up the Leases of leaders that died, so that a successor need not wait for their expiry. Only the supervisor knows that a
// process is dead and not just silent.
type releaser struct {
	client *api.Client
	node   string
	logger *slog.Logger
}

// release empties the holder of a component's Lease when that was a process of this node. Holders are named HOST_UNIQUE by every component.
// The new process cannot hold it under the version that was read: it has to wait for expiry, or for this.
func (r *releaser) release(ctx context.Context, component string) {
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	path := "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/" + component
	lease := api.Object{}
	if err := r.client.Get(ctx, path, &lease); err != nil {
		r.logger.Warn("lease of a dead leader not read", "lease", component, "error", err)
		return
	}
	spec, _ := lease["spec"].(api.Object)
	holder, _ := spec["holderIdentity"].(string)
	if !strings.HasPrefix(holder, r.node+"_") {
		return
	}
	spec["holderIdentity"] = ""
	spec["leaseDurationSeconds"] = 1 // as client-go writes a release
	if err := r.client.Update(ctx, path, lease); err != nil {
		r.logger.Warn("lease of a dead leader not released", "lease", component, "holder", holder, "error", err)
		return
	}
	r.logger.Info("released the lease of a dead leader", "lease", component, "holder", holder)
}
