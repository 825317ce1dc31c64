package target

import "time"

// Time limits of the specs, all in one place. They bound how long a conformant cluster may take on a slow, loaded machine; none of them is slept.
const (
	// PodStart covers a pull of a small image, the sandbox and the container.
	PodStart = 60 * time.Second
	// PodStop is the default grace period of 30 s plus clean-up.
	PodStop = 60 * time.Second
	// Rollout is for a Deployment of a few pods.
	Rollout = 120 * time.Second
	// Converge is for what controllers do without starting pods.
	Converge = 30 * time.Second
	// Quiet is how long something must stay as it is to count as staying so.
	Quiet = 3 * time.Second
	// FaultWitness is for a fault to show that it took effect, FaultHealed for the same of its healing: engine calls, no more.
	FaultWitness = 20 * time.Second
	FaultHealed  = 30 * time.Second
	// ProbeAnswer is how long a TLS handshake of a node that runs may take.
	ProbeAnswer = 2 * time.Second
	// LeaseExpiry is a dead leader's Lease (stock: 15 s) and a retry of the one who waits for it (2 s), with as much again for the load.
	LeaseExpiry = 34 * time.Second
	// Failover is for a client to be served by what is left of the control plane: an etcd election (stock: 1 s to 2 s), balancers that notice
	// (their probes take seconds), and a leader's Lease where controllers are needed.
	Failover = 15*time.Second + LeaseExpiry
	// NodeReturn is for a node that was started again to be Ready: it boots, and its kubelet waits for the API.
	NodeReturn = 90 * time.Second
	// NodeLost is for a silent node to be marked and its pods to be evicted: stock's node-monitor-grace-period (50 s), the monitor's period
	// (5 s) and the tolerance that the specs set (TolerateLost), with the clock's whole seconds.
	NodeLost     = 50*time.Second + 5*time.Second + TolerateLost + 2*time.Second
	TolerateLost = 1 * time.Second
	// Repair is for what a dying apiserver left half-allocated to be found by the repair loops of the others (stock: every 3 minutes).
	Repair = 4 * time.Minute
	// CallTimeout is how long one request of a client load may take before its outcome counts as unknown.
	CallTimeout = 3 * time.Second
	// JudgeTime is what the judge of linearizability may take; longer is inconclusive.
	JudgeTime = 20 * time.Second
	// SpecLimit ends a spec that hangs: more than the longest one needs where everything takes as long as the limits above allow.
	SpecLimit = 10 * time.Minute
	// Poll is how often specs look.
	Poll = 200 * time.Millisecond
)
