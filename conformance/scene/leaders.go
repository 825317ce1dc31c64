package scene

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/history/load"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Elected are the components that lead by a Lease of their name in kube-system.
var Elected = []string{"kube-controller-manager", "kube-scheduler"}

// Holder is the identity that holds a component's Lease; empty when it was released.
func (s *Scene) Holder(ctx context.Context, component string) (string, error) {
	return holder(ctx, s.API, component)
}

func holder(ctx context.Context, api kubernetes.Interface, component string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, budget.Call.Limit())
	defer cancel()
	lease, err := api.CoordinationV1().Leases("kube-system").Get(ctx, component, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("who leads as %s: %w", component, err)
	}
	if lease.Spec.HolderIdentity == nil {
		return "", nil
	}
	return *lease.Spec.HolderIdentity, nil
}

// HostOf is the node in a holder's identity, which is HOST_UNIQUE.
func HostOf(identity string) string {
	host, _, _ := strings.Cut(identity, "_")
	return host
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
	node = HostOf(identity)
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

// metricsOf etcd on a node, in the order in which they are tried: kubeadm's convention, and etcd's own default.
var metricsOf = []string{"http://127.0.0.1:2381/metrics", "http://127.0.0.1:2379/metrics"}

// EtcdLeader is the node whose etcd says that it leads; an error while none or several do.
func (s *Scene) EtcdLeader(ctx context.Context) (string, error) {
	nodes := s.NodesOf(cluster.ControlPlane, 1)
	answers := make([]error, len(nodes))
	leads := make([]bool, len(nodes))
	var asking sync.WaitGroup
	for i, n := range nodes {
		asking.Go(func() { leads[i], answers[i] = etcdLeads(ctx, s.Control(), n) })
	}
	asking.Wait()
	var leaders []string
	for i, n := range nodes {
		if leads[i] {
			leaders = append(leaders, n)
		}
	}
	if len(leaders) != 1 {
		return "", errors.Join(fmt.Errorf("etcd says that it leads on %v", leaders), errors.Join(answers...))
	}
	return leaders[0], nil
}

func etcdLeads(ctx context.Context, control cluster.Control, node string) (bool, error) {
	var failed []error
	for _, url := range metricsOf {
		metrics, err := control.Fetch(ctx, node, url)
		if err == nil {
			return bytes.Contains(metrics, []byte("\netcd_server_is_leader 1")), nil
		}
		if failed = append(failed, err); errors.Is(err, cluster.ErrUnsupported) {
			break
		}
	}
	return false, errors.Join(failed...)
}

// WaitEtcdLeader returns the node whose etcd leads. Where nobody tells, the spec is inconclusive.
func (s *Scene) WaitEtcdLeader(ctx context.Context) (leader string) {
	deadline := time.Now().Add(budget.FaultWitness.Limit())
	for {
		leader, err := s.EtcdLeader(ctx)
		if err == nil {
			return leader
		}
		if time.Now().After(deadline) || errors.Is(err, cluster.ErrUnsupported) {
			Inconclusive("which etcd leads is not known: %v", err)
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
		following.Go(func() { follow(ctx, api, component) })
	}
	ginkgo.DeferCleanup(func() {
		cancel()
		following.Wait()
	})
}

func follow(ctx context.Context, api kubernetes.Interface, component string) {
	tick := time.NewTicker(target.Poll)
	defer tick.Stop()
	last := ""
	for ctx.Err() == nil {
		if now, err := holder(ctx, api, component); err == nil && now != "" && now != last {
			Mark(verdict.Leader, component, HostOf(now))
			last = now
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
