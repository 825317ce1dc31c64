package servicecidr

import (
	"net/netip"
	"testing"
	"time"

	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestDecide(t *testing.T) {
	now := time.Unix(1000, 0)
	cidr := func(name, prefix string, change ...func(*networking.ServiceCIDR)) *networking.ServiceCIDR {
		c := &networking.ServiceCIDR{ObjectMeta: meta.ObjectMeta{Name: name, Finalizers: []string{finalizer}}, Spec: networking.ServiceCIDRSpec{CIDRs: []string{prefix}}}
		for _, f := range change {
			f(c)
		}
		return c
	}
	deleted := func(ago time.Duration) func(*networking.ServiceCIDR) {
		return func(c *networking.ServiceCIDR) { c.DeletionTimestamp = &meta.Time{Time: now.Add(-ago)} }
	}
	unprotected := func(c *networking.ServiceCIDR) { c.Finalizers = nil }
	ready := func(s meta.ConditionStatus) func(*networking.ServiceCIDR) {
		return func(c *networking.ServiceCIDR) {
			c.Status.Conditions = []meta.Condition{{Type: networking.ServiceCIDRConditionReady, Status: s}}
		}
	}
	taken := []netip.Addr{netip.MustParseAddr("10.250.0.7"), netip.MustParseAddr("10.96.0.1")}
	wide := cidr("wide", "10.250.0.0/16")
	for _, row := range []struct {
		name   string
		c      *networking.ServiceCIDR
		others []*networking.ServiceCIDR
		want   plan
		status meta.ConditionStatus
		reason string
	}{
		{name: "new", c: cidr("a", "10.250.0.0/24", unprotected), want: plan{protect: true}},
		{name: "protected", c: cidr("a", "10.250.0.0/24"), status: meta.ConditionTrue},
		{name: "ready", c: cidr("a", "10.250.0.0/24", ready("True"))},
		{name: "its status was taken away", c: cidr("a", "10.250.0.0/24", ready("False")), status: meta.ConditionTrue},
		{name: "deleted in use", c: cidr("a", "10.250.0.0/24", ready("True"), deleted(time.Hour)), status: meta.ConditionFalse, reason: "Terminating"},
		{name: "deleted in use, known", c: cidr("a", "10.250.0.0/24", ready("False"), deleted(time.Hour))},
		{name: "deleted in use, but covered", c: cidr("a", "10.250.0.0/24", deleted(time.Hour)), others: []*networking.ServiceCIDR{wide}, want: plan{free: true}},
		{name: "covered by one that goes too", c: cidr("a", "10.250.0.0/24", deleted(time.Hour)), others: []*networking.ServiceCIDR{cidr("wide", "10.250.0.0/16", deleted(time.Second))},
			status: meta.ConditionFalse, reason: "Terminating"},
		{name: "just deleted, not in use", c: cidr("a", "10.251.0.0/24", ready("True"), deleted(4*time.Second)), want: plan{again: 6 * time.Second}},
		{name: "long deleted, not in use", c: cidr("a", "10.251.0.0/24", deleted(10*time.Second)), want: plan{free: true}},
		{name: "deleted, held by others", c: cidr("a", "10.251.0.0/24", unprotected, deleted(time.Hour))},
	} {
		got := decide(row.c, append(row.others, row.c), taken, now)
		if c := got.condition; (c == nil) != (row.status == "") || c != nil && (c.Status != row.status || c.Reason != row.reason || !c.LastTransitionTime.Time.Equal(now)) {
			t.Errorf("%s: condition %v, want %s", row.name, c, row.status)
		}
		if got.condition = nil; got != row.want {
			t.Errorf("%s: %+v, want %+v", row.name, got, row.want)
		}
	}
}
