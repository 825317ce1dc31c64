// Package fault breaks parts of a cluster on purpose and mends them again, with a witness for both.
//
// A Fault is a description of functions that a constructor made (KillComponent, KillNode, PauseNode, RestartNode, StopNode); Inject carries it out: setup,
// inject, witness that it took effect. What it returns heals: heal, witness that it healed. A fault that nobody witnessed is an error that
// errors.Is tells apart (ErrNotWitnessed): then nothing was learned about the cluster. It is fed by package cluster's Control and feeds the specs.
package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// ErrNotWitnessed: the fault could not be set up, or its effect was not seen in time.
var ErrNotWitnessed = errors.New("the fault was not witnessed")

// Fault is one way to break a cluster. Functions that are nil have nothing to do.
type Fault struct {
	// Name says what is done to what: "kill etcd on ha-control-plane".
	Name string
	// Setup learns what Inject and the witnesses need. Its failure means that the fault is impossible here.
	Setup func(context.Context) error
	// Inject breaks. Heal mends: it must be right to call it when Inject failed half-way.
	Inject, Heal func(context.Context) error
	// Witness returns evidence that the fault has taken effect, or an error while it has not; Healed the same of the healing. Neither believes what
	// Inject or Heal were told: they look at what others would see.
	Witness, Healed func(context.Context) (string, error)

	// parts: it is several faults, which insist each for itself.
	parts bool
}

// injections is how often a fault is injected before it is given up: an engine that has much to do may refuse to freeze a node for a moment.
const injections = 3

// insist injects, again when that was refused and the witness sees nothing.
func (f Fault) insist(ctx context.Context) error {
	for try := 1; ; try++ {
		err := f.Inject(ctx)
		if err == nil || f.parts || try == injections || errors.Is(err, cluster.ErrUnsupported) {
			return err
		}
		if _, unseen := f.Witness(ctx); unseen == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(target.Poll):
		}
	}
}

// Journal keeps a moment of a fault's life.
type Journal func(kind verdict.Kind, fault, text string)

// Active is a fault in effect.
type Active struct {
	fault   Fault
	journal Journal

	mu     sync.Mutex
	healed bool
}

// Inject carries f out and returns once its effect was witnessed. On an error it has tried to heal already.
func Inject(ctx context.Context, f Fault, journal Journal) (*Active, error) {
	a := &Active{fault: f, journal: journal}
	if f.Setup != nil {
		if err := f.Setup(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", f.Name, ErrNotWitnessed, err)
		}
	}
	began := time.Now()
	journal(verdict.Injected, f.Name, "")
	if err := f.insist(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w: %w", f.Name, ErrNotWitnessed, err), a.Heal(ctx))
	}
	seen, err := await(ctx, f.Witness, budget.FaultWitness.Limit())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w: %w", f.Name, ErrNotWitnessed, err), a.Heal(ctx))
	}
	journal(verdict.Witnessed, f.Name, fmt.Sprintf("after %.1f s: %s", time.Since(began).Seconds(), seen))
	return a, nil
}

// Heal mends what was broken and returns once that was witnessed. It goes on when ctx has ended, within its own limit; only the first
// successful call does anything.
func (a *Active) Heal(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.healed {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget.FaultHealed.Limit())
	defer cancel()
	began := time.Now()
	a.journal(verdict.Healing, a.fault.Name, "")
	if a.fault.Heal != nil {
		if err := a.fault.Heal(ctx); err != nil {
			return fmt.Errorf("heal %s: %w", a.fault.Name, err)
		}
	}
	seen, err := await(ctx, a.fault.Healed, budget.FaultHealed.Limit())
	if err != nil {
		return fmt.Errorf("heal %s: not witnessed: %w", a.fault.Name, err)
	}
	a.healed = true
	a.journal(verdict.Healed, a.fault.Name, fmt.Sprintf("after %.1f s: %s", time.Since(began).Seconds(), seen))
	return nil
}

// there is a setup that waits for a component or node to run: it may be on its way back from what was done to it before, or from a Lease that it lost.
func there(runs func(context.Context) (string, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := await(ctx, runs, budget.FaultHealed.Limit())
		return err
	}
}

// await asks a witness until it has seen what it waits for, or never will.
func await(ctx context.Context, witness func(context.Context) (string, error), limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(target.Poll)
	defer tick.Stop()
	var last error
	for {
		seen, err := witness(ctx)
		if err == nil {
			return seen, nil
		}
		if errors.Is(err, cluster.ErrUnsupported) {
			return "", err
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("not within %s: %w", limit, last)
		case <-tick.C:
		}
	}
}
