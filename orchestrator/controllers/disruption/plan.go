package disruption

import (
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
)

const (
	// expiry of an eviction that was allowed but whose pod did not begin to end.
	expiry = 2 * time.Minute
	// stale is how long a DisruptionTarget condition may stay on a pod that is not deleted after all.
	stale = 2 * time.Minute
)

// needs of a budget: how many pods it expects and how many of them must be healthy. scale is the sum of the sizes of the pods' controllers.
func needs(pdb *policy.PodDisruptionBudget, matching int, scale func() (int32, error)) (expected, healthy int32, err error) {
	switch {
	case pdb.Spec.MaxUnavailable != nil:
		if expected, err = scale(); err != nil {
			return 0, 0, err
		}
		n, err := intstr.GetScaledValueFromIntOrPercent(pdb.Spec.MaxUnavailable, int(expected), true)
		return expected, max(0, expected-int32(n)), err
	case pdb.Spec.MinAvailable != nil && pdb.Spec.MinAvailable.Type == intstr.Int:
		return int32(matching), pdb.Spec.MinAvailable.IntVal, nil
	case pdb.Spec.MinAvailable != nil:
		if expected, err = scale(); err != nil {
			return 0, 0, err
		}
		n, err := intstr.GetScaledValueFromIntOrPercent(pdb.Spec.MinAvailable, int(expected), true)
		return expected, int32(n), err
	}
	return int32(matching), 1, nil
}

// disrupted drops entries of pods that are gone, going or that were spared; again is when the next entry expires.
func disrupted(pdb *policy.PodDisruptionBudget, matching []*core.Pod, now time.Time) (kept map[string]metav1.Time, again time.Duration) {
	for _, p := range matching {
		at, ok := pdb.Status.DisruptedPods[p.Name]
		if !ok || p.DeletionTimestamp != nil {
			continue
		}
		left := at.Add(expiry).Sub(now)
		if left <= 0 {
			continue
		}
		if kept == nil {
			kept = map[string]metav1.Time{}
		}
		kept[p.Name] = at
		if again == 0 || left < again {
			again = left
		}
	}
	return kept, again
}

// status of a budget.
func status(pdb *policy.PodDisruptionBudget, matching []*core.Pod, expected, healthy int32, kept map[string]metav1.Time) policy.PodDisruptionBudgetStatus {
	next := *pdb.Status.DeepCopy()
	current := int32(0)
	for _, p := range matching {
		if _, going := kept[p.Name]; !going && p.DeletionTimestamp == nil && pods.Ready(p) {
			current++
		}
	}
	next.CurrentHealthy, next.DesiredHealthy, next.ExpectedPods = current, healthy, expected
	next.DisruptionsAllowed = max(0, current-healthy)
	if expected <= 0 {
		next.DisruptionsAllowed = 0
	}
	next.DisruptedPods, next.ObservedGeneration = kept, pdb.Generation
	condition := metav1.Condition{Type: policy.DisruptionAllowedCondition, Status: metav1.ConditionTrue, Reason: policy.SufficientPodsReason, ObservedGeneration: pdb.Generation}
	if next.DisruptionsAllowed == 0 {
		condition.Status, condition.Reason = metav1.ConditionFalse, policy.InsufficientPodsReason
	}
	meta.SetStatusCondition(&next.Conditions, condition)
	return next
}

// failed is the status of a budget that cannot be computed: it allows nothing.
func failed(pdb *policy.PodDisruptionBudget, why error) policy.PodDisruptionBudgetStatus {
	next := *pdb.Status.DeepCopy()
	next.DisruptionsAllowed = 0
	next.ObservedGeneration = pdb.Generation
	meta.SetStatusCondition(&next.Conditions, metav1.Condition{
		Type: policy.DisruptionAllowedCondition, Status: metav1.ConditionFalse, Reason: policy.SyncFailedReason, Message: fmt.Sprint(why), ObservedGeneration: pdb.Generation,
	})
	return next
}
