// Package servicecidr looks after the ranges that Services have their addresses from (KEP-1880): a new one becomes ready, and one that was deleted
// stays as long as it holds an address that no other range has.
//
// It owns the condition Ready of ServiceCIDRs and the finalizer networking.k8s.io/service-cidr-finalizer. It is fed by informers of ServiceCIDRs and
// IPAddresses, and feeds the apiserver, which gives addresses of ready ranges only.
package servicecidr

import (
	"context"
	"net/netip"
	"slices"
	"time"

	networking "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"
	apply "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// manager of the condition, as stock's controller calls itself.
const manager = "service-cidr-controller"

// Run looks after ServiceCIDRs until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := controller{World: w, now: time.Now}
	c.loop = loop.New(ctx, 1, w.Logger, c.sync)
	ranges := w.Informers.Networking().V1().ServiceCIDRs()
	// What becomes of one range may free another, which it overlaps, or hold it.
	loop.On(c.loop, ranges.Informer(), func(old, new *networking.ServiceCIDR) {
		if new != nil {
			c.loop.Add(new.Name)
		}
		c.lookAgain()
	})
	loop.On(c.loop, w.Informers.Networking().V1().IPAddresses().Informer(), func(_, new *networking.IPAddress) {
		if new == nil {
			c.lookAgain()
		}
	})
	return c.loop.Run(ctx)
}

type controller struct {
	*world.World
	loop *loop.Loop
	now  func() time.Time
}

// lookAgain at the ranges that are to go.
func (c *controller) lookAgain() {
	all, err := c.ranges()
	if err != nil {
		c.Logger.Error("read ServiceCIDRs", "error", err)
		return
	}
	for _, r := range all {
		if r.DeletionTimestamp != nil {
			c.loop.Add(r.Name)
		}
	}
}

func (c *controller) ranges() ([]*networking.ServiceCIDR, error) {
	return c.Informers.Networking().V1().ServiceCIDRs().Lister().List(labels.Everything())
}

func (c *controller) sync(ctx context.Context, name string) error {
	r, err := c.Informers.Networking().V1().ServiceCIDRs().Lister().Get(name)
	if err != nil {
		return gone(err)
	}
	all, err := c.ranges()
	if err != nil {
		return err
	}
	cached, err := c.Informers.Networking().V1().IPAddresses().Lister().List(labels.Everything())
	if err != nil {
		return err
	}
	p := decide(r, all, parsed(cached), c.now())
	if p.free {
		// That nothing holds it is believed only of a live list: an address may have been given out a moment ago.
		if p, err = c.live(ctx, r, all); err != nil {
			return err
		}
	}
	if p.again > 0 {
		c.loop.After(name, p.again)
	}
	return gone(c.apply(ctx, r, p))
}

func (c *controller) live(ctx context.Context, r *networking.ServiceCIDR, all []*networking.ServiceCIDR) (plan, error) {
	list, err := c.Client.NetworkingV1().IPAddresses().List(ctx, meta.ListOptions{})
	if err != nil {
		return plan{}, err
	}
	addresses := make([]*networking.IPAddress, len(list.Items))
	for i := range list.Items {
		addresses[i] = &list.Items[i]
	}
	return decide(r, all, parsed(addresses), c.now()), nil
}

func parsed(addresses []*networking.IPAddress) []netip.Addr {
	all := make([]netip.Addr, 0, len(addresses))
	for _, a := range addresses {
		if ip, err := netip.ParseAddr(a.Name); err == nil {
			all = append(all, ip)
		}
	}
	return all
}

func (c *controller) apply(ctx context.Context, r *networking.ServiceCIDR, p plan) error {
	client := c.Client.NetworkingV1().ServiceCIDRs()
	if p.condition != nil {
		wanted := apply.ServiceCIDR(r.Name).WithStatus(apply.ServiceCIDRStatus().WithConditions(applymeta.Condition().WithType(p.condition.Type).
			WithStatus(p.condition.Status).WithReason(p.condition.Reason).WithMessage(p.condition.Message).WithLastTransitionTime(p.condition.LastTransitionTime)))
		_, err := client.ApplyStatus(ctx, wanted, meta.ApplyOptions{FieldManager: manager, Force: true})
		return err
	}
	if !p.protect && !p.free {
		return nil
	}
	r = r.DeepCopy()
	r.Finalizers = slices.DeleteFunc(r.Finalizers, func(f string) bool { return f == finalizer })
	if p.protect {
		r.Finalizers = append(r.Finalizers, finalizer)
	}
	_, err := client.Update(ctx, r, meta.UpdateOptions{})
	return err
}

// gone: a range that is not there any more needs nothing.
func gone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
