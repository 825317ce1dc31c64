package failover

import (
	"context"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/leadership"
)

// Held is who held a component's Lease in a round.
type Held struct {
	Component string `json:"component"`
	// Before the fault and After the round.
	Before string `json:"before"`
	After  string `json:"after"`
	// Acquired is when After took the Lease, by its own clock, in seconds from when the fault was confirmed; 0 when the Lease did not change hands.
	Acquired float64 `json:"acquired,omitempty"`
}

// missed says what a round that missed a goal is to be understood by; empty when it met them all.
func (c faultCase) missed(r Round) string {
	met := true
	for _, f := range figures {
		if goal := f.goal(c).Seconds(); goal > 0 && f.of(r) > goal {
			met = false
		}
	}
	if met {
		return ""
	}
	var text strings.Builder
	fmt.Fprintf(&text, "missed: Deployment accepted %.2f s, slowest write %.2f s", r.Accepted, r.SlowestWrite)
	for _, h := range r.Held {
		fmt.Fprintf(&text, "; %s led by %s", h.Component, h.Before)
		if h.After != h.Before {
			fmt.Fprintf(&text, ", from %.2f s by %s", h.Acquired, h.After)
		}
	}
	return text.String()
}

// holders reads who holds each Lease.
func (s *side) holders(ctx context.Context) (held []Held, err error) {
	for _, component := range leadership.Leases {
		lease, err := s.lease(ctx, component)
		if err != nil {
			return nil, err
		}
		held = append(held, Held{Component: component, Before: holder(lease)})
	}
	return held, nil
}

// heldAfter notes who holds each Lease now, and since when.
func (s *side) heldAfter(ctx context.Context, held []Held, confirmed time.Time) error {
	for i := range held {
		h := &held[i]
		lease, err := s.lease(ctx, h.Component)
		if err != nil {
			return err
		}
		h.After = holder(lease)
		if h.After != h.Before && lease.Spec.AcquireTime != nil {
			h.Acquired = lease.Spec.AcquireTime.Sub(confirmed).Seconds()
		}
	}
	return nil
}

// lease reads a component's Lease, again where an apiserver that was lost a moment ago is still asked.
func (s *side) lease(ctx context.Context, component string) (lease *coordinationv1.Lease, err error) {
	err = until(ctx, func(ctx context.Context) (bool, error) {
		lease, err = s.client.CoordinationV1().Leases(metav1.NamespaceSystem).Get(ctx, component, metav1.GetOptions{})
		return err == nil, err
	})
	return lease, err
}

func holder(lease *coordinationv1.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}
