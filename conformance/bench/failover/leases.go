package failover

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"

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
	if !slices.ContainsFunc(figures, func(f figure) bool { return f.late(c, f.of(r)) }) {
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
		held = append(held, Held{Component: component, Before: leadership.HolderOf(lease)})
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
		h.After = leadership.HolderOf(lease)
		if h.After != h.Before && lease.Spec.AcquireTime != nil {
			h.Acquired = lease.Spec.AcquireTime.Sub(confirmed).Seconds()
		}
	}
	return nil
}

// lease reads a component's Lease, again where an apiserver that was lost a moment ago is still asked.
func (s *side) lease(ctx context.Context, component string) (lease *coordinationv1.Lease, err error) {
	err = until(ctx, func(ctx context.Context) (bool, error) {
		lease, err = s.leaders.Lease(ctx, component)
		return err == nil, err
	})
	return lease, err
}
