// Package budget is every time limit of the specs, in one file, each with its derivation. They bound how long a conformant cluster may take on
// a slow, loaded machine; none of them is slept. What a spec itself asks for - a grace period, a deadline, a pause between restarts - and how far from
// it is still as asked stands in the spec.
//
// It is fed the target's Settings once, before the specs run, and feeds the specs (Limit) and the report (All). A budget that hangs on how a
// cluster is set up - how soon a silent node is given up, how long a lease lasts - is computed from what its owner states.
package budget

import (
	"slices"
	"time"
)

// Budget is one time limit.
type Budget struct {
	// Name is what the report calls it, Why how it was derived.
	Name, Why string
	of        func(Settings) time.Duration
}

var current = Stock()

// Use sets the settings that Limit computes with: once, before the specs run.
func Use(s Settings) { current = s }

// Limit is the budget under the target's settings.
func (b Budget) Limit() time.Duration {
	limit := b.Under(current)
	if hurried != 1 && !slices.Contains([]string{Quiet.Name, GivesWay.Name, TolerateLost.Name}, b.Name) {
		limit = time.Duration(float64(limit) * hurried)
	}
	return limit
}

// Under is the budget under other settings than those in use: what a report that states them must have granted.
func (b Budget) Under(s Settings) time.Duration { return b.of(s) }

// hurried is the share of each limit that is granted.
var hurried = 1.0

// Hurry grants only a share of each limit, for targets on which specs are expected to fail: they need not be waited for as long as those that may
// yet pass. It can only make passing harder: what must stay as it is for a while (Quiet, GivesWay, TolerateLost) is not shortened, a share above one is
// refused, and no flag of plumb sets it.
func Hurry(share float64) {
	if share <= 0 || share > 1 {
		panic("budget: a share is above 0 and at most 1")
	}
	hurried = share
}

func always(d time.Duration) func(Settings) time.Duration {
	return func(Settings) time.Duration { return d }
}

// What pods and controllers may take.
var (
	PodStart = Budget{"pod start", "a pull of a small image, the sandbox and the container", always(60 * time.Second)}
	PodStop  = Budget{"pod stop", "the default grace period of 30 s, and as much for clean-up", always(60 * time.Second)}
	Rollout  = Budget{"rollout", "two pods after another start", always(120 * time.Second)}
	Converge = Budget{"converge", "what controllers do without starting pods", always(30 * time.Second)}
	// SurplusGone is for a pod that a ReplicaSet has too many to be told to end.
	SurplusGone = Budget{"surplus gone", "a ReplicaSet deletes what it has too many as soon as it sees that; 3 s for a busy machine", always(3 * time.Second)}
	Quiet       = Budget{"quiet", "how long something must stay as it is to count as staying so", always(3 * time.Second)}
)

// What faults may take.
var (
	FaultWitness = Budget{"fault witnessed", "engine calls, and probes that fall silent", always(20 * time.Second)}
	FaultHealed  = Budget{"fault healed", "engine calls, and a supervisor that starts what died", always(30 * time.Second)}
	ProbeAnswer  = Budget{"probe answers", "a TLS handshake with a node that runs", always(2 * time.Second)}
	// LeaseExpiry is for another to hold a dead leader's lease.
	LeaseExpiry = Budget{"lease expires", "2 x (lease duration + retry period): once for the lease, once for the load", func(s Settings) time.Duration {
		return 2 * (s.Lease + s.LeaseRetry)
	}}
	// GivesWay is how long a former leader that goes on may take itself for one.
	GivesWay = Budget{"former leader gives way", "it tries to renew until its deadline, which is shorter than the lease, + one retry period", func(s Settings) time.Duration {
		return s.Lease + s.LeaseRetry
	}}
	// Failover is for a client to be served by what is left of the control plane.
	Failover = Budget{"failover", "3 etcd elections + the balancer notices + 7 s for calls that hang + lease expires", func(s Settings) time.Duration {
		return 3*s.Election + s.Balancer + 7*time.Second + 2*(s.Lease+s.LeaseRetry)
	}}
	// WritesBack is how long a client of the balancer may have to do without an acknowledged write.
	WritesBack = Budget{"writes back", "3 etcd elections + the balancer notices + 3 s for a call that hangs", func(s Settings) time.Duration {
		return 3*s.Election + s.Balancer + Call.of(s)
	}}
	// ControllersBack is for a new Deployment to have its ReplicaSet and its pod a node, once it was acknowledged.
	ControllersBack = Budget{"controllers back", "lease expires + 5 s in which new leaders read everything and do the work", func(s Settings) time.Duration {
		return 2*(s.Lease+s.LeaseRetry) + 5*time.Second
	}}
	NodeReturn = Budget{"node returns", "it boots, and its kubelet waits for the API", always(90 * time.Second)}
	// TolerateLost is the toleration that specs give the pods of a node they lose.
	TolerateLost = Budget{"toleration of a lost node", "what the specs' pods state", always(time.Second)}
	// NodeLost is for a silent node to be marked and its pods to be evicted.
	NodeLost = Budget{"node lost", "grace period + monitor period + toleration + 2 s for clocks that count whole seconds", func(s Settings) time.Duration {
		return s.NodeGrace + s.NodePeriod + TolerateLost.of(s) + 2*time.Second
	}}
	// NodeGivenUp is for a silent node to be marked.
	NodeGivenUp = Budget{"node given up", "grace period + monitor period + 2 s for clocks that count whole seconds, and 10 s for a busy machine", func(s Settings) time.Duration {
		return s.NodeGrace + s.NodePeriod + 12*time.Second
	}}
	// Moved is for the pods of a lost node to be Ready on others.
	Moved = Budget{"pods run elsewhere", "node given up + toleration + pod start", func(s Settings) time.Duration {
		return s.NodeGrace + s.NodePeriod + 12*time.Second + TolerateLost.of(s) + PodStart.of(s)
	}}
	// UseNoticed is for a node to know what its pods use, and to end one that uses more of its disk than it may.
	UseNoticed = Budget{"use noticed", "stock measures volumes once a minute and looks every 10 s; a minute to end a pod, and as much for a busy machine", always(3 * time.Minute)}
	// Refreshed is for a changed ConfigMap to be seen in a running pod.
	Refreshed = Budget{"volume refreshed", "the kubelet's sync period of a minute and its cache's, and half a minute for a busy machine", always(150 * time.Second)}
	// Mirrored is for a static pod that somebody deleted in the API to be shown there again.
	Mirrored = Budget{"static pod shown again", "stock's kubelet looks when it next syncs the pod, about once a minute; its own specs allow four", always(4 * time.Minute)}
	Repair   = Budget{"allocations repaired", "stock's repair loops run every 3 minutes, plus one", always(4 * time.Minute)}
)

// What Services may take to follow their endpoints.
var (
	EndpointRemoved = Budget{"removed endpoint avoided", "proxies program at most once a second, and 2 s for a busy machine", always(3 * time.Second)}
	EndpointLost    = Budget{"dead endpoint avoided", "its kubelet looks once a second and proxies program at most as often; 8 s for a busy machine", always(10 * time.Second)}
	NamesBack       = Budget{"names resolve again", "a dead DNS server is avoided as any dead endpoint", always(10 * time.Second)}
	TaintObeyed     = Budget{"taint obeyed", "evictions of controllers that watch, on a busy machine", always(5 * time.Second)}
)

// What clients and judges may take.
var (
	Call      = Budget{"call", "one request of a client load; after it the outcome counts as unknown", always(3 * time.Second)}
	JudgeTime = Budget{"judge", "the search for one order of all calls; longer is inconclusive", always(20 * time.Second)}
	Spec      = Budget{"spec", "more than the longest spec needs where everything takes as long as it may", always(10 * time.Minute)}
)

// All budgets, in the order of the report.
func All() []Budget {
	return []Budget{
		PodStart, PodStop, Rollout, Converge, SurplusGone, Quiet, FaultWitness, FaultHealed, ProbeAnswer, LeaseExpiry, GivesWay, Failover, WritesBack, ControllersBack, NodeReturn, TolerateLost, NodeLost,
		NodeGivenUp, Moved, UseNoticed, Refreshed, Mirrored, Repair, EndpointRemoved, EndpointLost, NamesBack, TaintObeyed,
		Call, JudgeTime, Spec,
	}
}
