package leader

import (
	"context"
	"time"

	coordination "k8s.io/api/coordination/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
)

// stand blocks until the Lease is held, or ctx ends.
func (c *candidate) stand(ctx context.Context) error {
	c.stale = true
	for {
		attempt, cancel := context.WithTimeout(ctx, c.attemptTimeout())
		won, wait, err := c.try(attempt)
		cancel()
		if won {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.Logger.Warn("stand for election", "lease", c.Name, "error", err)
			c.stale = true
			wait = c.RetryPeriod
		}
		if wait > 0 {
			c.await(ctx, wait)
		}
	}
}

// await follows the Lease until it is free or its holder has been silent for long enough. A candidate that may not watch polls.
func (c *candidate) await(ctx context.Context, wait time.Duration) {
	options := meta.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", c.Name).String()}
	if c.lease != nil && !c.stale {
		options.ResourceVersion = c.lease.ResourceVersion
	}
	known, end := c.renewed, time.Now().Add(wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	following, stop := context.WithCancel(ctx)
	defer stop()
	// An apiserver that was paused, or whose etcd has no leader, begins no watch, and says nothing.
	late := time.AfterFunc(min(wait, c.attemptTimeout()), stop)
	var events <-chan watch.Event
	follow, err := c.Leases.Leases(c.Namespace).Watch(following, options)
	late.Stop()
	if err != nil {
		timer.Reset(min(time.Until(end), c.RetryPeriod))
	} else {
		defer follow.Stop()
		events = follow.ResultChan()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			c.stale = c.stale || err != nil
			return
		case event, open := <-events:
			lease, ok := event.Object.(*coordination.Lease)
			if !open || !ok || event.Type == watch.Deleted {
				events = nil
				c.stale = true
				timer.Reset(min(wait, c.RetryPeriod))
				continue
			}
			held := c.lease != nil && holderOf(c.lease) != ""
			c.observe(lease)
			switch holder := holderOf(lease); {
			case held && holder == "", c.renewed != known:
				return // it was freed, or an attempt was done whose answer did not come
			case holder != "" && holder != c.Identity:
				timer.Reset(max(0, time.Until(c.changed.Add(c.LeaseDuration))))
			}
		}
	}
}

// hold leads and renews until the Lease is lost, ctx ends or lead returns by itself (finished). It returns after lead has.
func (c *candidate) hold(ctx context.Context, lead func(context.Context) error) (finished bool, err error) {
	leading, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- lead(leading) }()
	deadline := time.AfterFunc(time.Until(c.renewed.Add(c.RenewDeadline)), stop)
	defer deadline.Stop()
	renew := time.NewTimer(c.RetryPeriod)
	defer renew.Stop()
	for {
		select {
		case err := <-done:
			return leading.Err() == nil, err
		case <-leading.Done():
			err := <-done
			if ctx.Err() == nil {
				err = nil // what failed because the Lease was lost is no failure of the leader
			}
			return false, err
		case <-renew.C:
		}
		sent := time.Now()
		attempt, cancel := context.WithTimeout(leading, c.attemptTimeout())
		won, wait, err := c.try(attempt)
		cancel()
		if took := time.Since(sent); took > c.RetryPeriod {
			c.Logger.Info("renewal took long", "lease", c.Name, "took", took.Round(time.Millisecond), "renewed", won)
		}
		switch {
		case won:
			deadline.Reset(time.Until(c.renewed.Add(c.RenewDeadline)))
		case err == nil && holderOf(c.lease) != c.Identity && holderOf(c.lease) != "":
			stop() // somebody else holds it: step down now, not at the deadline
		case err != nil && leading.Err() == nil:
			c.Logger.Warn("renew the lease", "lease", c.Name, "error", err)
			c.stale = true // it may have been renewed all the same
			wait = c.RetryPeriod / 10
		}
		renew.Reset(wait)
	}
}

// attemptTimeout is how long one attempt to renew may take, so that there is time for two more: an apiserver that has been paused, or an etcd
// that has lost its leader, leaves a request without an answer for longer than a leader has.
func (c *candidate) attemptTimeout() time.Duration { return c.RenewDeadline / 3 }

// release empties the Lease that this candidate holds, so that the next one need not wait.
func (c *candidate) release(ctx context.Context) {
	if c.lease == nil || holderOf(c.lease) != c.Identity {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	lease, nobody, second, now := c.lease.DeepCopy(), "", int32(1), meta.NowMicro()
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds, lease.Spec.RenewTime = &nobody, &second, &now
	if _, err := c.Leases.Leases(c.Namespace).Update(ctx, lease, meta.UpdateOptions{}); err != nil {
		c.Logger.Warn("release the lease", "lease", c.Name, "error", err)
	}
}
