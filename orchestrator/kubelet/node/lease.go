package node

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// Heartbeat renews the node's Lease, by which the cluster knows that this kubelet lives.
type Heartbeat struct {
	Node     string
	Duration time.Duration
	Leases   coordinationv1client.LeaseInterface
	Nodes    corev1client.NodeInterface
	Logger   *slog.Logger

	held *coordinationv1.Lease
}

const renewFraction = 4

// Run renews four times within the Lease's duration, and retries faster while that fails.
func (h *Heartbeat) Run(ctx context.Context) {
	for {
		wait := h.Duration / renewFraction
		if err := h.renew(ctx); err != nil && ctx.Err() == nil {
			h.Logger.Info("renew the lease", "err", err)
			h.held = nil
			wait = min(time.Second, wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (h *Heartbeat) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.Duration/renewFraction)
	defer cancel()
	now := metav1.NowMicro()
	if h.held == nil {
		lease, err := h.Leases.Get(ctx, h.Node, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			lease, err = h.create(ctx, now)
		}
		if err != nil {
			return err
		}
		h.held = lease
	}
	next := h.held.DeepCopy()
	seconds := int32(h.Duration.Seconds())
	next.Spec.HolderIdentity, next.Spec.LeaseDurationSeconds, next.Spec.RenewTime = &h.Node, &seconds, &now
	lease, err := h.Leases.Update(ctx, next, metav1.UpdateOptions{})
	if err != nil {
		return fmt.Errorf("update lease %s: %w", h.Node, err)
	}
	h.held = lease
	return nil
}

// create makes the Lease belong to its node, so that both go together.
func (h *Heartbeat) create(ctx context.Context, now metav1.MicroTime) (*coordinationv1.Lease, error) {
	node, err := h.Nodes.Get(ctx, h.Node, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("the lease's node: %w", err)
	}
	seconds := int32(h.Duration.Seconds())
	return h.Leases.Create(ctx, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: h.Node, Namespace: corev1.NamespaceNodeLease, OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID},
		}},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &h.Node, LeaseDurationSeconds: &seconds, RenewTime: &now},
	}, metav1.CreateOptions{})
}
