package nodelifecycle

import (
	"slices"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	coordination "k8s.io/api/coordination/v1"
)

// health is what the controller remembers of a node between looks. Times are our own clock's: a node's may be wrong.
type health struct {
	probe    time.Time
	beat     time.Time
	renewed  meta.MicroTime
	ready    core.ConditionStatus
	conds    []core.NodeCondition
	notReady time.Time
}

// look takes in a node and its Lease, and returns the conditions that a silent node gets; nil: the node speaks for itself.
func (h *health) look(node *core.Node, lease *coordination.Lease, now time.Time, grace, startup time.Duration) []core.NodeCondition {
	ready := conditionOf(node.Status.Conditions, core.NodeReady)
	if h.probe.IsZero() {
		h.probe, h.beat = now, now
		if ready == nil {
			h.beat = node.CreationTimestamp.Time
		}
	}
	if lease != nil && lease.Spec.RenewTime != nil && lease.Spec.RenewTime.After(h.renewed.Time) {
		h.renewed, h.beat = *lease.Spec.RenewTime, now
	}
	if heartbeats(h.conds) != heartbeats(node.Status.Conditions) && ready != nil {
		h.beat = now
	}
	h.conds, h.probe = node.Status.Conditions, now
	if ready == nil {
		grace = startup
	}
	if now.Sub(h.beat) < grace {
		return nil
	}
	return unknown(node, now)
}

// heartbeats changes whenever the kubelet writes its conditions.
func heartbeats(conditions []core.NodeCondition) (latest time.Time) {
	for _, c := range conditions {
		if c.LastHeartbeatTime.After(latest) {
			latest = c.LastHeartbeatTime.Time
		}
	}
	return latest
}

var judged = []core.NodeConditionType{core.NodeReady, core.NodeMemoryPressure, core.NodeDiskPressure, core.NodePIDPressure}

// unknown are the conditions of a node that went silent.
func unknown(node *core.Node, now time.Time) []core.NodeCondition {
	out, changed := slices.Clone(node.Status.Conditions), false
	for _, kind := range judged {
		c := conditionOf(out, kind)
		switch {
		case c == nil:
			out = append(out, core.NodeCondition{
				Type: kind, Status: core.ConditionUnknown, Reason: "NodeStatusNeverUpdated", Message: "Kubelet never posted node status.",
				LastHeartbeatTime: node.CreationTimestamp, LastTransitionTime: meta.NewTime(now),
			})
			changed = true
		case c.Status != core.ConditionUnknown:
			c.Status, c.Reason, c.Message = core.ConditionUnknown, "NodeStatusUnknown", "Kubelet stopped posting node status."
			c.LastTransitionTime = meta.NewTime(now)
			changed = true
		}
	}
	if !changed {
		return nil
	}
	return out
}

func conditionOf(conditions []core.NodeCondition, kind core.NodeConditionType) *core.NodeCondition {
	for i := range conditions {
		if conditions[i].Type == kind {
			return &conditions[i]
		}
	}
	return nil
}

// schedulingTaints are the NoSchedule taints that this controller owns.
var schedulingTaints = []string{
	core.TaintNodeNotReady, core.TaintNodeUnreachable, core.TaintNodeUnschedulable, core.TaintNodeMemoryPressure, core.TaintNodeDiskPressure,
	core.TaintNodePIDPressure, core.TaintNodeNetworkUnavailable,
}

// taints of a node by its conditions. Where evictions are held NoExecute taints are left as they are, and where they are called off they go.
func taints(node *core.Node, eviction permit, now time.Time) []core.Taint {
	evict := eviction == granted
	wanted := map[string]bool{core.TaintNodeUnschedulable: node.Spec.Unschedulable}
	for _, c := range node.Status.Conditions {
		switch {
		case c.Type == core.NodeReady && c.Status == core.ConditionFalse:
			wanted[core.TaintNodeNotReady] = true
		case c.Type == core.NodeReady && c.Status == core.ConditionUnknown:
			wanted[core.TaintNodeUnreachable] = true
		case c.Status != core.ConditionTrue:
		case c.Type == core.NodeMemoryPressure:
			wanted[core.TaintNodeMemoryPressure] = true
		case c.Type == core.NodeDiskPressure:
			wanted[core.TaintNodeDiskPressure] = true
		case c.Type == core.NodePIDPressure:
			wanted[core.TaintNodePIDPressure] = true
		case c.Type == core.NodeNetworkUnavailable:
			wanted[core.TaintNodeNetworkUnavailable] = true
		}
	}
	var out []core.Taint
	has := map[string]bool{}
	for _, t := range node.Spec.Taints {
		executes := t.Effect == core.TaintEffectNoExecute && (t.Key == core.TaintNodeNotReady || t.Key == core.TaintNodeUnreachable)
		ours := t.Effect == core.TaintEffectNoSchedule && slices.Contains(schedulingTaints, t.Key)
		if (executes || ours) && !wanted[t.Key] || executes && eviction == calledOff {
			continue
		}
		has[t.Key+string(t.Effect)] = true
		out = append(out, t)
	}
	stamp := meta.NewTime(now)
	for _, key := range schedulingTaints {
		if wanted[key] && !has[key+string(core.TaintEffectNoSchedule)] {
			out = append(out, core.Taint{Key: key, Effect: core.TaintEffectNoSchedule, TimeAdded: &stamp})
		}
	}
	for _, key := range []string{core.TaintNodeNotReady, core.TaintNodeUnreachable} {
		if evict && wanted[key] && !has[key+string(core.TaintEffectNoExecute)] {
			out = append(out, core.Taint{Key: key, Effect: core.TaintEffectNoExecute, TimeAdded: &stamp})
		}
	}
	return out
}

// zoneState tells how many nodes of a zone are silent or unready.
type zoneState int

const (
	normal zoneState = iota
	partial
	full
)

func stateOf(ready, unready int, threshold float64) zoneState {
	switch {
	case ready == 0 && unready > 0:
		return full
	case unready > 2 && float64(unready)/float64(ready+unready) >= threshold:
		return partial
	}
	return normal
}

func isReady(node *core.Node) bool {
	c := conditionOf(node.Status.Conditions, core.NodeReady)
	return c != nil && c.Status == core.ConditionTrue
}
