package scene

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/history/load"
	"github.com/plumb-k8s/plumb/conformance/leadership"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Elected are the components that lead by a Lease.
var Elected = leadership.Leases

// leadership asks the cluster by the spec's own client.
func (s *Scene) leadership() leadership.Reader {
	return leadership.Reader{Client: s.API, Nodes: s.Cluster.Nodes(), Control: s.Control()}
}

// leadershipBut does not ask a node that would not answer.
func (s *Scene) leadershipBut(silent string) leadership.Reader {
	r := s.leadership()
	r.Nodes = slices.DeleteFunc(slices.Clone(r.Nodes), func(n cluster.Node) bool { return n.Name == silent })
	return r
}

// Holder is the identity that holds a component's Lease; empty when it was released.
func (s *Scene) Holder(ctx context.Context, component string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, budget.Call.Limit())
	defer cancel()
	return s.leadership().Holder(ctx, component)
}

// WaitHolder returns a component's holder and its node once it has one.
func (s *Scene) WaitHolder(ctx context.Context, component string) (identity, node string) {
	ginkgo.GinkgoHelper()
	gomega.Eventually(ctx, func(ctx context.Context) (err error) {
		if identity, err = s.Holder(ctx, component); err == nil && identity == "" {
			err = fmt.Errorf("nobody leads as %s", component)
		}
		return err
	}).WithTimeout(budget.LeaseExpiry.Limit()).WithPolling(target.Poll).Should(gomega.Succeed())
	node = leadership.NodeOf(identity)
	if !slices.Contains(s.NodesOf(cluster.ControlPlane, 1), node) {
		Inconclusive("%s is led by %q, which names no control plane", component, identity)
	}
	return identity, node
}

// WaitSuccessor returns who holds a component's Lease once it is another than before.
func (s *Scene) WaitSuccessor(ctx context.Context, component, before string) (after string) {
	ginkgo.GinkgoHelper()
	gomega.Eventually(ctx, func(ctx context.Context) (err error) {
		if after, err = s.Holder(ctx, component); err == nil && (after == "" || after == before) {
			err = fmt.Errorf("%s is held by %q", component, after)
		}
		return err
	}).WithTimeout(budget.LeaseExpiry.Limit()).WithPolling(target.Poll).Should(gomega.Succeed(), "nobody took the Lease of %s after %s", component, before)
	Record("succession", "%s: %s after %s", component, after, before)
	return after
}

// WaitEtcdLeader returns the node whose etcd leads. Where nobody tells, the spec is inconclusive.
func (s *Scene) WaitEtcdLeader(ctx context.Context) (leader string) {
	return s.waitEtcdLeader(ctx, s.leadership())
}

func (s *Scene) waitEtcdLeader(ctx context.Context, r leadership.Reader) (leader string) {
	ctx, cancel := context.WithTimeout(ctx, budget.FaultWitness.Limit())
	defer cancel()
	tick := time.NewTicker(target.Poll)
	defer tick.Stop()
	for {
		leader, err := r.EtcdLeader(ctx)
		switch {
		case err == nil:
			return leader
		case ctx.Err() != nil, errors.Is(err, cluster.ErrUnsupported):
			Inconclusive("which etcd leads is not known: %v", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// FollowLeaders notes in the timeline who holds the Leases whenever that changes, until the spec ends.
func (s *Scene) FollowLeaders(ctx context.Context) {
	ginkgo.GinkgoHelper()
	api, err := load.Client(s.Config, s.Config.Host)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var following sync.WaitGroup
	for _, component := range Elected {
		following.Go(func() { follow(ctx, leadership.Reader{Client: api}, component) })
	}
	ginkgo.DeferCleanup(func() {
		cancel()
		following.Wait()
	})
}

func follow(ctx context.Context, reader leadership.Reader, component string) {
	tick := time.NewTicker(target.Poll)
	defer tick.Stop()
	last := ""
	for ctx.Err() == nil {
		call, done := context.WithTimeout(ctx, budget.Call.Limit())
		now, err := reader.Holder(call, component)
		done()
		if err == nil && now != "" && now != last {
			Mark(verdict.Leader, component, leadership.NodeOf(now))
			last = now
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
