// Package leader elects one of several replicas by a coordination.k8s.io Lease, compatibly with stock's holders and candidates.
//
// It owns the Lease and the context under which a leader works: that context ends at the last renewal plus the deadline, whatever the leader does.
// Components hand it what to do while leading; it must not know what that is.
package leader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// Config of a candidate.
type Config struct {
	// Namespace and Name of the Lease.
	Namespace, Name string
	// Identity of this candidate: unique among all of them.
	Identity string
	// LeaseDuration is how long others wait after the last renewal that they saw before they take the Lease.
	LeaseDuration time.Duration
	// RenewDeadline is how long after its last renewal a leader goes on.
	RenewDeadline time.Duration
	// RetryPeriod between renewals, and between attempts where no watch tells of a change.
	RetryPeriod time.Duration
	Leases      client.LeasesGetter
	Logger      *slog.Logger
	// OnNewLeader is told of each holder seen; may be nil.
	OnNewLeader func(identity string)
}

func (c Config) validate() error {
	switch {
	case c.Identity == "" || c.Name == "" || c.Namespace == "":
		return errors.New("leader election: namespace, name and identity are required")
	case c.LeaseDuration <= c.RenewDeadline:
		return fmt.Errorf("leader election: the lease duration %v must exceed the renew deadline %v", c.LeaseDuration, c.RenewDeadline)
	case c.RenewDeadline <= c.RetryPeriod:
		return fmt.Errorf("leader election: the renew deadline %v must exceed the retry period %v", c.RenewDeadline, c.RetryPeriod)
	}
	return nil
}

// releaseTimeout bounds the last write of a leader that leaves.
const releaseTimeout = 2 * time.Second

// Run stands for election until ctx ends, and runs lead whenever it is elected. lead must return soon after its context ends. When lead returns
// by itself, Run releases the Lease and returns lead's error.
func Run(ctx context.Context, cfg Config, lead func(ctx context.Context) error) error {
	if err := cfg.validate(); err != nil {
		return err
	}
	c := &candidate{Config: cfg}
	for {
		if err := c.stand(ctx); err != nil {
			return nil // only the end of ctx ends standing
		}
		cfg.Logger.Info("became leader", "lease", cfg.Name, "identity", cfg.Identity)
		finished, err := c.hold(ctx, lead)
		if finished || ctx.Err() != nil {
			c.release(ctx)
			return err
		}
		cfg.Logger.Warn("lost the lease, stand again", "lease", cfg.Name, "identity", cfg.Identity)
	}
}

// candidate is one replica's view of the Lease. It is used by one goroutine at a time.
type candidate struct {
	Config
	lease *coordination.Lease
	// exists is false while the Lease is to be created; stale asks for a read before the next write.
	exists, stale bool
	// seen is when this process last saw the Lease's record change, changed when that was written at the latest: others wait from then.
	seen, changed time.Time
	// renewed is when the last renewal that is known to be done was sent, sent when those were whose answers have not come.
	renewed time.Time
	sent    []time.Time
	told    string
}

// observe takes in a version of the Lease.
func (c *candidate) observe(lease *coordination.Lease) {
	if now := time.Now(); c.lease == nil || !sameRecord(c.lease.Spec, lease.Spec) {
		c.seen, c.changed = now, c.writtenBy(lease, now)
	}
	c.lease, c.exists, c.stale = lease, true, false
	c.credit(lease)
	if holder := holderOf(lease); holder != c.told && holder != "" {
		c.told = holder
		if c.OnNewLeader != nil {
			c.OnNewLeader(holder)
		}
	}
}

// credit counts the renewal that a version of the Lease is of, if it is ours: one whose answer was lost may have been done all the same.
func (c *candidate) credit(lease *coordination.Lease) {
	if holderOf(lease) != c.Identity || lease.Spec.RenewTime == nil {
		return
	}
	stamp := lease.Spec.RenewTime.UnixMicro()
	i := slices.IndexFunc(c.sent, func(sent time.Time) bool { return sent.UnixMicro() == stamp })
	if i < 0 {
		return
	}
	c.renewed = c.sent[i]
	c.sent = slices.Delete(c.sent, 0, i+1)
}

// writtenBy is when a record that is seen now was written at the latest. One of the same holder as before is as much younger than that as the holder's
// own clock says: a renewal that an etcd without a leader held up does not count from its arrival. Clocks of different machines are not compared.
// A clock that was set back between the two shows in a renewal that came too soon, unless it was by less than what is left between the deadline of
// a leader and the end of its Lease.
func (c *candidate) writtenBy(lease *coordination.Lease, now time.Time) time.Time {
	if c.lease == nil || holderOf(c.lease) != holderOf(lease) || c.lease.Spec.RenewTime == nil || lease.Spec.RenewTime == nil {
		return now
	}
	apart := lease.Spec.RenewTime.Sub(c.lease.Spec.RenewTime.Time)
	if written := c.seen.Add(apart); written.Before(now) && apart >= c.RetryPeriod-min(c.RetryPeriod, c.LeaseDuration-c.RenewDeadline)/2 {
		return written
	}
	return now
}

func holderOf(lease *coordination.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

func sameRecord(a, b coordination.LeaseSpec) bool {
	return equal(a.HolderIdentity, b.HolderIdentity) && a.RenewTime.Equal(b.RenewTime) && a.AcquireTime.Equal(b.AcquireTime) &&
		equal(a.LeaseTransitions, b.LeaseTransitions) && equal(a.LeaseDurationSeconds, b.LeaseDurationSeconds)
}

func equal[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// claim returns the Lease as this candidate holds it from now on, or renews it.
func (c *candidate) claim(now time.Time) *coordination.Lease {
	lease := c.lease.DeepCopy()
	stamp, seconds := meta.NewMicroTime(now), int32(max(1, (c.LeaseDuration+time.Second-1)/time.Second))
	if holderOf(lease) != c.Identity {
		transitions := int32(0)
		if lease.Spec.LeaseTransitions != nil {
			transitions = *lease.Spec.LeaseTransitions + 1
		}
		lease.Spec.AcquireTime, lease.Spec.LeaseTransitions = &stamp, &transitions
	}
	lease.Spec.HolderIdentity, lease.Spec.RenewTime, lease.Spec.LeaseDurationSeconds = &c.Identity, &stamp, &seconds
	return lease
}

// try takes or renews the Lease if nobody else holds it; when somebody does, wait is how long until it may be tried again.
func (c *candidate) try(ctx context.Context) (won bool, wait time.Duration, err error) {
	sent, known := time.Now(), c.renewed
	if c.lease == nil || c.stale {
		if err := c.fetch(ctx); err != nil {
			return false, c.RetryPeriod, err
		}
		if c.renewed != known && time.Since(c.renewed) < c.RenewDeadline {
			return true, max(0, time.Until(c.renewed.Add(c.RetryPeriod))), nil
		}
	}
	if holder := holderOf(c.lease); holder != "" && holder != c.Identity {
		if left := time.Until(c.changed.Add(c.LeaseDuration)); left > 0 {
			return false, left, nil
		}
	}
	claimed := c.claim(sent)
	c.sent = append(slices.DeleteFunc(c.sent, func(earlier time.Time) bool { return sent.Sub(earlier) > c.RenewDeadline }), sent)
	var lease *coordination.Lease
	if !c.exists {
		lease, err = c.Leases.Leases(c.Namespace).Create(ctx, claimed, meta.CreateOptions{})
	} else {
		lease, err = c.Leases.Leases(c.Namespace).Update(ctx, claimed, meta.UpdateOptions{})
	}
	if err != nil {
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) {
			c.stale = true // another was faster: read who
			return false, c.RetryPeriod / 10, nil
		}
		return false, c.RetryPeriod, err
	}
	c.observe(lease)
	c.renewed, c.sent = sent, nil
	return true, c.RetryPeriod, nil
}

func (c *candidate) fetch(ctx context.Context) error {
	lease, err := c.Leases.Leases(c.Namespace).Get(ctx, c.Name, meta.GetOptions{})
	if apierrors.IsNotFound(err) {
		c.exists, c.stale = false, false
		c.lease = &coordination.Lease{ObjectMeta: meta.ObjectMeta{Namespace: c.Namespace, Name: c.Name}}
		return nil
	}
	if err != nil {
		return err
	}
	c.observe(lease)
	return nil
}
