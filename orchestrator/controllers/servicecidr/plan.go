package servicecidr

import (
	"net/netip"
	"slices"
	"time"

	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// finalizer holds a ServiceCIDR while Services have its addresses.
	finalizer = "networking.k8s.io/service-cidr-finalizer"
	// grace after a deletion, in which an apiserver that has not seen it yet may still give out an address of the range.
	grace = 10 * time.Second

	readyMessage = "Kubernetes Service CIDR is ready"
	heldMessage  = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
)

// plan is what a ServiceCIDR needs: at most one of the fields is set.
type plan struct {
	// protect puts the finalizer on, free takes it away.
	protect, free bool
	// condition to be written, or nil.
	condition *meta.Condition
	// again is when to look again, for no event will say so.
	again time.Duration
}

// decide what comes next for c. all are the ServiceCIDRs of the cluster, addresses those that are claimed.
func decide(c *networking.ServiceCIDR, all []*networking.ServiceCIDR, addresses []netip.Addr, now time.Time) plan {
	protected := slices.Contains(c.Finalizers, finalizer)
	switch {
	case c.DeletionTimestamp == nil && !protected:
		return plan{protect: true}
	case c.DeletionTimestamp == nil:
		return plan{condition: unlessSo(c, meta.Condition{Status: meta.ConditionTrue, Message: readyMessage}, now)}
	case !protected:
		return plan{}
	case held(c, all, addresses):
		return plan{condition: unlessSo(c, meta.Condition{Status: meta.ConditionFalse, Reason: networking.ServiceCIDRReasonTerminating, Message: heldMessage}, now)}
	}
	if rest := grace - now.Sub(c.DeletionTimestamp.Time); rest > 0 {
		return plan{again: rest}
	}
	return plan{free: true}
}

// unlessSo is the Ready condition to be written, nil if it stands as it should.
func unlessSo(c *networking.ServiceCIDR, wanted meta.Condition, now time.Time) *meta.Condition {
	wanted.Type, wanted.LastTransitionTime = networking.ServiceCIDRConditionReady, meta.NewTime(now)
	for _, have := range c.Status.Conditions {
		if have.Type == wanted.Type && have.Status == wanted.Status {
			return nil
		}
	}
	return &wanted
}

// held tells whether an address would be in no range any more if c went.
func held(c *networking.ServiceCIDR, all []*networking.ServiceCIDR, addresses []netip.Addr) bool {
	return slices.ContainsFunc(addresses, func(ip netip.Addr) bool {
		return contains(c, ip) && !slices.ContainsFunc(all, func(other *networking.ServiceCIDR) bool {
			return other.Name != c.Name && other.DeletionTimestamp == nil && contains(other, ip)
		})
	})
}

func contains(c *networking.ServiceCIDR, ip netip.Addr) bool {
	return slices.ContainsFunc(c.Spec.CIDRs, func(text string) bool {
		prefix, err := netip.ParsePrefix(text)
		return err == nil && prefix.Contains(ip)
	})
}
