// Package failover measures how soon a control plane of three works again after a part of it was lost: writes through the balancer, and a new
// Deployment's ReplicaSet and pod.
//
// plumb bench failover feeds it one cluster, or two to compare, with control over their nodes. Each case is a fault that is injected round after
// round, the sides in turn, on the node that leads what the case is about; before each round every side has to be whole again. Writers begin a write
// every 25 ms on connections of their own: the figure is the longest time in which one of them had nothing acknowledged, so it does not hang
// on knowing the moment of a death. It knows nothing of what the components are.
package failover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/leadership"
)

// Config of a run.
type Config struct {
	// Sides are what is measured: one, or two to compare; Names are theirs. The goals are for the first.
	Sides []cluster.Cluster
	Names []string
	// Rounds of each case and side.
	Rounds int
	// Only cases whose name holds this text; empty is all.
	Only string
	// Image of the pod that gets a node: one that does nothing.
	Image string
	Out   io.Writer
}

// Round is one measured fault. Times are in seconds.
type Round struct {
	Case  string    `json:"case"`
	Side  string    `json:"side"`
	Began time.Time `json:"began"`
	// Broken is what was broken, Led what it led then.
	Broken []string `json:"broken"`
	Led    []string `json:"led"`
	// Injection is how long the engine took to confirm the fault.
	Injection float64 `json:"injection"`
	// EveryWriter is the longest time without an acknowledged write of the writer that fared worst, AnyWriter that of all writers together.
	EveryWriter float64 `json:"everyWriter"`
	AnyWriter   float64 `json:"anyWriter"`
	// Accepted, ReplicaSet and Placed are a new Deployment's, created and counted from when the fault was confirmed.
	Accepted   float64 `json:"accepted"`
	ReplicaSet float64 `json:"replicaSet"`
	Placed     float64 `json:"placed"`
	// SlowestWrite is the longest that one write begun after the injection took, whether it was acknowledged or not.
	SlowestWrite float64 `json:"slowestWrite"`
	// Held is who led, before and after.
	Held []Held `json:"held"`
	// Failed writes, and the last one's error.
	Failed    int    `json:"failed"`
	LastError string `json:"lastError,omitempty"`
}

// Run measures every case on every side. What was measured before an error is in the report.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	report := &Report{Sides: cfg.Names}
	var sides []*side
	for i, target := range cfg.Sides {
		s, err := newSide(cfg.Names[i], target)
		if err != nil {
			return report, err
		}
		if err := s.prepare(ctx); err != nil {
			return report, err
		}
		sides = append(sides, s)
	}
	err := rounds(ctx, cfg, sides, report)
	for _, s := range sides {
		err = errors.Join(err, s.remove(context.WithoutCancel(ctx)))
	}
	return report, err
}

func rounds(ctx context.Context, cfg Config, sides []*side, report *Report) error {
	for _, c := range cases() {
		if !strings.Contains(c.name, cfg.Only) {
			continue
		}
		for n := range cfg.Rounds {
			for i := range sides {
				s := sides[(i+n)%len(sides)]
				if err := well(ctx, sides); err != nil {
					return fmt.Errorf("%s, before round %d: %w", c.name, n+1, err)
				}
				r, err := s.round(ctx, cfg, c, fmt.Sprintf("d%x", time.Now().UnixMilli()))
				if err != nil {
					return fmt.Errorf("%s: %s, round %d: %w", s.name, c.name, n+1, err)
				}
				report.Rounds = append(report.Rounds, r)
				fmt.Fprintf(cfg.Out, "  %s: %s, round %d of %d: writes %.2f s, ReplicaSet %.2f s, placed %.2f s (%s; %d writes failed)\n",
					s.name, c.name, n+1, cfg.Rounds, r.EveryWriter, r.ReplicaSet, r.Placed, strings.Join(r.Broken, ", "), r.Failed)
				if why := c.missed(r); why != "" && s == sides[0] {
					fmt.Fprintf(cfg.Out, "    %s\n", why)
				}
			}
		}
	}
	return nil
}

// Limits of a round: how long a cluster may take to serve again before the round is given up, and how long the load runs before the fault.
const (
	servedAgain = 2 * time.Minute
	warmUp      = time.Second
)

// well returns once every side is whole: they share a machine, and what one does to recover would be measured on the other.
func well(ctx context.Context, sides []*side) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, s := range sides {
		all.Go(func() error { return s.well(ctx) })
	}
	return all.Wait()
}

// round breaks, measures and heals.
func (s *side) round(ctx context.Context, cfg Config, c faultCase, name string) (r Round, err error) {
	victims, err := c.choose(ctx, s)
	if err != nil {
		return r, err
	}
	r = Round{Case: c.name, Side: s.name, Began: time.Now(), Broken: victims.names(), Led: s.ledBy(ctx, victims)}
	if r.Held, err = s.holders(ctx); err != nil {
		return r, err
	}
	l, err := startLoad(ctx, s)
	if err != nil {
		return r, err
	}
	defer l.end()
	warm := time.Now().Add(warmUp)
	serving, cancel := context.WithTimeout(ctx, servedAgain)
	defer cancel()
	if err := until(serving, func(context.Context) (bool, error) { return l.allSince(warm), l.lastError }); err != nil {
		return r, fmt.Errorf("writes before the fault: %w", err)
	}
	defer func() { err = errors.Join(err, c.heal(context.WithoutCancel(ctx), s, victims)) }()
	begun := time.Now()
	if err := c.inject(ctx, s, victims); err != nil {
		return r, err
	}
	confirmed := time.Now()
	r.Injection = confirmed.Sub(begun).Seconds()
	if err := s.observe(serving, cfg, l, &r, name, begun, confirmed); err != nil {
		return r, err
	}
	return r, s.client.AppsV1().Deployments(s.namespace).Delete(ctx, name, metav1.DeleteOptions{})
}

// observe follows the new Deployment and the writers until all is served again.
func (s *side) observe(ctx context.Context, cfg Config, l *load, r *Round, name string, begun, confirmed time.Time) error {
	p, err := deploy(ctx, s.client, s.namespace, name, cfg.Image, confirmed)
	if err != nil {
		return err
	}
	r.Accepted, r.ReplicaSet, r.Placed = p.accepted.Seconds(), p.replicaSet.Seconds(), p.placed.Seconds()
	since := time.Now()
	if err := until(ctx, func(context.Context) (bool, error) { return l.allSince(since), nil }); err != nil {
		return fmt.Errorf("writes after the fault: %w", err)
	}
	end := time.Now()
	l.end()
	r.SlowestWrite = l.slowestSince(begun).Seconds()
	every, together := l.gaps(begun, end)
	r.EveryWriter, r.AnyWriter, r.Failed = every.Seconds(), together.Seconds(), l.failed
	if l.lastError != nil {
		r.LastError = l.lastError.Error()
	}
	return s.heldAfter(ctx, r.Held, confirmed)
}

// ledBy lists what the victims' nodes lead.
func (s *side) ledBy(ctx context.Context, v victims) (led []string) {
	for _, component := range leadership.Leases {
		if holder, err := s.leaders.Holder(ctx, component); err == nil && v.has(leadership.NodeOf(holder)) {
			led = append(led, component)
		}
	}
	if node, err := s.leaders.EtcdLeader(ctx); err == nil && v.has(node) {
		led = append(led, leadership.Etcd)
	}
	return led
}
