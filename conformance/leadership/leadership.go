// Package leadership tells who leads a control plane, and which changes of leaders nothing explains.
//
// A leader that changes although nothing was broken has lost its lease under a load that it should carry: every controller begins anew. Package
// check feeds it the target while the suite runs and then the results with their timelines; the bench of failover asks it whom to break. Who
// leads etcd is read at the members' metrics address, from the node's own loopback; where that cannot be, only the Leases are known.
package leadership

import (
	"context"
	"errors"
	"fmt"
	"strings"

	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// Leases of the components that lead, in kube-system.
var Leases = []string{"kube-controller-manager", "kube-scheduler"}

// Etcd is the store's name among those that are led.
const Etcd = "etcd"

// Reader asks a cluster.
type Reader struct {
	Client kubernetes.Interface
	Nodes  []cluster.Node
	// Control may be nil: then nobody knows who leads etcd.
	Control cluster.Control
}

// Lease is a component's.
func (r Reader) Lease(ctx context.Context, component string) (*coordination.Lease, error) {
	lease, err := r.Client.CoordinationV1().Leases(metav1.NamespaceSystem).Get(ctx, component, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("who leads %s: %w", component, err)
	}
	return lease, nil
}

// Holder is who holds a component's Lease; empty when nobody does.
func (r Reader) Holder(ctx context.Context, component string) (string, error) {
	lease, err := r.Lease(ctx, component)
	if err != nil {
		return "", err
	}
	return HolderOf(lease), nil
}

// NodeOf is the node of a holder: components name themselves HOST_UNIQUE.
func NodeOf(holder string) string {
	node, _, _ := strings.Cut(holder, "_")
	return node
}

// metricsURLs are where a member's metrics may be: kubeadm's address, and a member's own without TLS.
var metricsURLs = []string{"http://127.0.0.1:2381/metrics", "http://127.0.0.1:2379/metrics"}

// Members asks every control plane's etcd how it stands; a member that does not answer is left out.
func (r Reader) Members(ctx context.Context) (map[string]Member, error) {
	if r.Control == nil {
		return nil, cluster.ErrUnsupported
	}
	members := map[string]Member{}
	var failed error
	for _, n := range r.Nodes {
		if n.Role != cluster.ControlPlane {
			continue
		}
		m, err := r.member(ctx, n.Name)
		if errors.Is(err, cluster.ErrUnsupported) {
			return nil, err
		}
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		members[n.Name] = m
	}
	if len(members) == 0 {
		return nil, fmt.Errorf("who leads etcd: %w", failed)
	}
	return members, nil
}

func (r Reader) member(ctx context.Context, node string) (Member, error) {
	var failed error
	for _, url := range metricsURLs {
		text, err := r.Control.Fetch(ctx, node, url)
		if err == nil {
			return parseMember(text)
		}
		failed = err
	}
	return Member{}, fmt.Errorf("etcd on %s: %w", node, failed)
}

// EtcdLeader is the node whose member says that it leads; an error while none or several do.
func (r Reader) EtcdLeader(ctx context.Context) (string, error) {
	members, err := r.Members(ctx)
	if err != nil {
		return "", err
	}
	var leaders []string
	for node, m := range members {
		if m.Leads {
			leaders = append(leaders, node)
		}
	}
	if len(leaders) != 1 {
		return "", fmt.Errorf("of %d members of etcd %d say that they lead: %v", len(members), len(leaders), leaders)
	}
	return leaders[0], nil
}
