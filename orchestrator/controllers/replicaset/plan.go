package replicaset

import (
	"slices"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
)

// burst is the most pods created or deleted in one sync.
const burst = 500

// decision of one sync.
type decision struct {
	create int
	remove []*core.Pod
}

// plan compares the active pods with the number wanted. siblings are the active pods of all sets of the same owner: pods that share a node with
// many of them go first.
func plan(rs *apps.ReplicaSet, active, siblings []*core.Pod, now time.Time) decision {
	if rs.DeletionTimestamp != nil {
		return decision{}
	}
	missing := int(wanted(rs)) - len(active)
	if missing >= 0 {
		return decision{create: min(missing, burst)}
	}
	crowd := map[string]int{}
	for _, p := range siblings {
		crowd[p.Spec.NodeName]++
	}
	delete(crowd, "")
	victims := slices.Clone(active)
	slices.SortStableFunc(victims, pods.Victims(crowd, now))
	return decision{remove: victims[:min(-missing, burst)]}
}

func wanted(rs *apps.ReplicaSet) int32 {
	if rs.Spec.Replicas == nil {
		return 1
	}
	return *rs.Spec.Replicas
}

// status counts pods; wait is when an availability changes by the passing of time alone (0: it does not).
func status(rs *apps.ReplicaSet, mine []*core.Pod, failure error, failed string, now time.Time) (next apps.ReplicaSetStatus, wait time.Duration) {
	next = *rs.Status.DeepCopy()
	next.Replicas, next.FullyLabeledReplicas, next.ReadyReplicas, next.AvailableReplicas = 0, 0, 0, 0
	terminating := int32(0)
	template := labels.SelectorFromSet(rs.Spec.Template.Labels)
	for _, p := range mine {
		if p.DeletionTimestamp != nil && !pods.Ended(p) {
			terminating++
		}
		if !pods.Active(p) {
			continue
		}
		next.Replicas++
		if template.Matches(labels.Set(p.Labels)) {
			next.FullyLabeledReplicas++
		}
		if !pods.Ready(p) {
			continue
		}
		next.ReadyReplicas++
		available, left := pods.Available(p, rs.Spec.MinReadySeconds, now)
		if available {
			next.AvailableReplicas++
		} else if left > 0 && (wait == 0 || left < wait) {
			wait = left
		}
	}
	next.TerminatingReplicas = &terminating
	next.ObservedGeneration = max(rs.Generation, next.ObservedGeneration)
	next.Conditions = slices.DeleteFunc(next.Conditions, func(c apps.ReplicaSetCondition) bool {
		return c.Type == apps.ReplicaSetReplicaFailure && (failure == nil || c.Reason != failed)
	})
	if failure != nil && !slices.ContainsFunc(next.Conditions, func(c apps.ReplicaSetCondition) bool { return c.Type == apps.ReplicaSetReplicaFailure }) {
		next.Conditions = append(next.Conditions, apps.ReplicaSetCondition{
			Type: apps.ReplicaSetReplicaFailure, Status: core.ConditionTrue, Reason: failed, Message: failure.Error(), LastTransitionTime: meta.NewTime(now),
		})
	}
	if len(next.Conditions) == 0 {
		next.Conditions = rs.Status.Conditions[:0:0]
	}
	return next, wait
}
