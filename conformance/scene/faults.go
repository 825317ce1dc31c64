package scene

import (
	"context"
	"errors"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// NodeControl is the label of specs that call Control, also by what they break: plumb check refuses them before anything runs where there is none.
const NodeControl = "nodecontrol"

// Control over the nodes; without it the spec is inconclusive.
func (s *Scene) Control() cluster.Control {
	control := s.Cluster.Control()
	if control == nil {
		Inconclusive("this profile needs control over the nodes")
	}
	return control
}

// NodesOf returns the names of the nodes of a role, and is inconclusive when there are fewer than atLeast.
func (s *Scene) NodesOf(role string, atLeast int) []string {
	var names []string
	for _, n := range s.Cluster.Nodes() {
		if n.Role == role {
			names = append(names, n.Name)
		}
	}
	if len(names) < atLeast {
		Inconclusive("this needs %d nodes of role %s, and the cluster has %d", atLeast, role, len(names))
	}
	return names
}

// Break injects a fault and returns once it was witnessed; it is healed in clean-up at the latest. A fault without a witness makes the spec
// inconclusive.
func (s *Scene) Break(ctx context.Context, f fault.Fault) *fault.Active {
	a, err := fault.Inject(ctx, f, Mark)
	if errors.Is(err, fault.ErrNotWitnessed) {
		Inconclusive("%v", err)
	}
	gomega.ExpectWithOffset(1, err).NotTo(gomega.HaveOccurred())
	ginkgo.DeferCleanup(a.Heal)
	return a
}

// Heal mends a fault before clean-up and fails the spec when that was not witnessed.
func Heal(ctx context.Context, a *fault.Active) {
	gomega.ExpectWithOffset(1, a.Heal(ctx)).To(gomega.Succeed())
}

// WaitNodesReady returns once every node of the cluster is Ready.
func (s *Scene) WaitNodesReady(ctx context.Context) {
	gomega.EventuallyWithOffset(1, ctx, func(ctx context.Context) error { return target.NodesReady(ctx, s.API) }).
		WithTimeout(budget.NodeReturn.Limit()).WithPolling(target.Poll).Should(gomega.Succeed())
}
