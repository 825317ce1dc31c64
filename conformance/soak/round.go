package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/history/load"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// How much load a round has before, during and after its fault.
const (
	writesBefore   = 100
	attemptsDuring = 50
	writesAfter    = 100
)

// Round is one fault and what the clients saw.
type Round struct {
	N     int       `json:"round"`
	Began time.Time `json:"began"`
	Fault string    `json:"fault"`
	// Marks are the moments of the fault's life.
	Marks []verdict.Mark `json:"marks"`
	// Calls made, and how many of them failed or have an unknown outcome.
	Calls   int     `json:"calls"`
	Failed  int     `json:"failed"`
	Unknown int     `json:"unknown"`
	Seconds float64 `json:"seconds"`
	// Gap is the longest time, in seconds, in which no write was acknowledged to the client of the balancer.
	Gap float64 `json:"gap"`
	// Wrong are violations; Inconclusive says why nothing was learned.
	Wrong        []string `json:"wrong,omitempty"`
	Inconclusive string   `json:"inconclusive,omitempty"`
}

// round injects one fault under load, heals it, waits until all serves again, and judges.
func (s *Soak) round(ctx context.Context, n int) (r Round) {
	made := choose(s.Cluster, s.rng)
	r = Round{N: n, Began: time.Now(), Fault: made.Name}
	defer func() { r.Seconds = time.Since(r.Began).Seconds() }()
	namespace := fmt.Sprintf("soak-%d-%d", s.Seed%1e6, n)
	if err := s.createNamespace(ctx, namespace); err != nil {
		r.Inconclusive = err.Error()
		return r
	}
	l, err := load.Start(ctx, namespace, s.paths)
	if err != nil {
		r.Inconclusive = err.Error()
		return r
	}
	defer l.Abandon()
	err = s.breakAndMend(ctx, l, made, &r)
	switch {
	case errors.Is(err, fault.ErrNotWitnessed):
		r.Inconclusive = err.Error()
	case err != nil && ctx.Err() == nil:
		r.Wrong = append(r.Wrong, err.Error())
	}
	s.judge(ctx, l, namespace, made, &r)
	return r
}

// breakAndMend is the fault's life, with enough load in each part of it.
func (s *Soak) breakAndMend(ctx context.Context, l *load.Load, made choice, r *Round) error {
	if err := s.reach(ctx, l, "before", writesBefore, nil); err != nil {
		return err
	}
	journal := func(kind verdict.Kind, subject, text string) {
		r.Marks = append(r.Marks, verdict.Mark{At: time.Now(), Kind: kind, Subject: subject, Text: text})
	}
	active, err := fault.Inject(ctx, made.Fault, journal)
	if err != nil {
		return err
	}
	l.Enter("broken")
	served := s.reach(ctx, l, "broken", 0, []string{load.Balancer})
	healed := active.Heal(ctx)
	l.Enter("mended")
	if err := errors.Join(served, healed, s.wholeAgain(ctx)); err != nil {
		return err
	}
	return s.reach(ctx, l, "mended", writesAfter, s.pathNames())
}

// reach waits until a phase has its load and each of paths a write in it.
func (s *Soak) reach(ctx context.Context, l *load.Load, phase string, writes int, paths []string) error {
	want := history.Counts{Attempted: attemptsDuring, Acknowledged: writes}
	return s.await(ctx, budget.Failover, func(context.Context) error { return l.Reached(phase, want, paths) })
}

// wholeAgain waits until every node is Ready.
func (s *Soak) wholeAgain(ctx context.Context) error {
	return s.await(ctx, budget.NodeReturn, func(ctx context.Context) error { return target.NodesReady(ctx, s.paths[load.Balancer]) })
}

// await asks until check succeeds, within a budget.
func (s *Soak) await(ctx context.Context, b budget.Budget, check func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, b.Limit())
	defer cancel()
	tick := time.NewTicker(target.Poll)
	defer tick.Stop()
	var last error
	for {
		call, done := context.WithTimeout(limited, budget.Call.Limit())
		err := check(call)
		done()
		if err == nil {
			return nil
		}
		if limited.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-limited.Done():
			return fmt.Errorf("not within %s (%s): %w", b.Limit(), b.Name, last)
		case <-tick.C:
		}
	}
}

// judge ends the load, holds it against the rules, and keeps its history when it broke one.
func (s *Soak) judge(ctx context.Context, l *load.Load, namespace string, made choice, r *Round) {
	limited, cancel := context.WithTimeout(ctx, budget.Converge.Limit())
	defer cancel()
	h, err := l.Stop(limited)
	if err != nil {
		if ctx.Err() == nil {
			r.Wrong = append(r.Wrong, err.Error())
		}
		return
	}
	r.Calls = len(h.Calls)
	for _, c := range h.Calls {
		switch c.Outcome {
		case history.Failed:
			r.Failed++
		case history.Unknown:
			r.Unknown++
		}
	}
	r.Gap = gap(h).Seconds()
	var forgets []string
	if made.forgets() {
		forgets = []string{made.node.Name}
	}
	v := history.Judge(h, history.Enough{}, budget.JudgeTime.Limit(), forgets...)
	r.Wrong = append(r.Wrong, v.Wrong...)
	if r.Inconclusive == "" {
		r.Inconclusive = v.Inconclusive
	}
	r.Wrong = append(r.Wrong, s.outlived(ctx)...)
	s.last = kept{namespace, h.Final}
	if len(r.Wrong) > 0 {
		if err := s.save(h, r.N); err != nil {
			r.Wrong = append(r.Wrong, err.Error())
		}
	}
}

func (s *Soak) save(h history.History, n int) error {
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.Dir, fmt.Sprintf("soak-history-%d.json", n)), data, 0o644)
}

// gap is the longest time, from the start of the load to its last call, in which no write of the balanced client was acknowledged.
func gap(h history.History) time.Duration {
	end := time.Duration(0)
	for _, c := range h.Calls {
		end = max(end, c.End)
	}
	return history.Outage(h.Calls, load.Balancer, 0, end)
}
