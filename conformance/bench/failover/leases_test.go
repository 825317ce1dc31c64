package failover

import (
	"testing"
	"time"
)

func TestAMissedRoundTellsWhoLed(t *testing.T) {
	c := faultCase{name: "etcd leader's node killed", writes: 1200 * time.Millisecond}
	stayed := Held{Component: "kube-scheduler", Before: "cp-2_b", After: "cp-2_b"}
	moved := Held{Component: "kube-controller-manager", Before: "cp-1_a", After: "cp-3_c", Acquired: 2.713}
	for _, row := range []struct {
		name string
		r    Round
		want string
	}{
		{"every goal met", Round{EveryWriter: 1.2, ReplicaSet: 3, Placed: 3}, ""},
		{
			"placed late", Round{EveryWriter: 1.1, SlowestWrite: 1.3, Accepted: 0.35, ReplicaSet: 6.16, Placed: 6.2, Held: []Held{moved, stayed}},
			"missed: Deployment accepted 0.35 s, slowest write 1.30 s; kube-controller-manager led by cp-1_a, from 2.71 s by cp-3_c; kube-scheduler led by cp-2_b",
		},
		{
			"written late", Round{EveryWriter: 1.3, SlowestWrite: 5, Held: []Held{stayed}},
			"missed: Deployment accepted 0.00 s, slowest write 5.00 s; kube-scheduler led by cp-2_b",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := c.missed(row.r); got != row.want {
				t.Errorf("%q\nwant %q", got, row.want)
			}
		})
	}
	noGoal := faultCase{name: "both leading processes killed"}
	if got := noGoal.missed(Round{EveryWriter: 9}); got != "" {
		t.Errorf("a figure without a goal was missed: %q", got)
	}
}
