package deployment

import (
	"encoding/json"
	"hash/fnv"
	"math"
	"slices"
	"strconv"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/rand"
)

const (
	revisionAnnotation = "deployment.kubernetes.io/revision"
	historyAnnotation  = "deployment.kubernetes.io/revision-history"
	desiredAnnotation  = "deployment.kubernetes.io/desired-replicas"
	maxAnnotation      = "deployment.kubernetes.io/max-replicas"
)

// templateHash names a pod template in the alphabet of pod-template-hash; collisions are told apart by their count.
func templateHash(template *core.PodTemplateSpec, collisions *int32) (string, error) {
	text, err := json.Marshal(template)
	if err != nil {
		return "", err
	}
	h := fnv.New32a()
	_, _ = h.Write(text)
	if collisions != nil {
		_, _ = h.Write([]byte(strconv.Itoa(int(*collisions))))
	}
	return rand.SafeEncodeString(strconv.FormatUint(uint64(h.Sum32()), 10)), nil
}

// sameTemplate ignores the label that tells ReplicaSets apart.
func sameTemplate(a, b *core.PodTemplateSpec) bool {
	a, b = a.DeepCopy(), b.DeepCopy()
	delete(a.Labels, apps.DefaultDeploymentUniqueLabelKey)
	delete(b.Labels, apps.DefaultDeploymentUniqueLabelKey)
	return equality.Semantic.DeepEqual(a, b)
}

// current is the oldest set that has the Deployment's template, or nil.
func current(d *apps.Deployment, sets []*apps.ReplicaSet) *apps.ReplicaSet {
	sets = slices.Clone(sets)
	slices.SortFunc(sets, older)
	for _, rs := range sets {
		if sameTemplate(&rs.Spec.Template, &d.Spec.Template) {
			return rs
		}
	}
	return nil
}

func older(a, b *apps.ReplicaSet) int {
	if n := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); n != 0 {
		return n
	}
	if a.Name < b.Name {
		return -1
	}
	return 1
}

func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// total of what the sets want.
func total(sets []*apps.ReplicaSet) (n int32) {
	for _, rs := range sets {
		n += replicas(rs.Spec.Replicas)
	}
	return n
}

// bounds of a rollout: how many pods above the number wanted, and how many unavailable. Both are never 0.
func bounds(d *apps.Deployment) (surge, unavailable int32) {
	if d.Spec.Strategy.Type != apps.RollingUpdateDeploymentStrategyType || d.Spec.Strategy.RollingUpdate == nil {
		return 0, 0
	}
	wanted := replicas(d.Spec.Replicas)
	surge = scaled(d.Spec.Strategy.RollingUpdate.MaxSurge, wanted, true)
	unavailable = scaled(d.Spec.Strategy.RollingUpdate.MaxUnavailable, wanted, false)
	if surge == 0 && unavailable == 0 {
		unavailable = 1
	}
	return surge, min(unavailable, wanted)
}

func scaled(v *intstr.IntOrString, of int32, up bool) int32 {
	n, err := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(v, intstr.FromInt32(0)), int(of), up)
	if err != nil {
		return 0
	}
	return int32(n)
}

// scale is a new size of one set.
type scale struct {
	set *apps.ReplicaSet
	to  int32
}

// rolling is the next step of a rolling update.
func rolling(d *apps.Deployment, now *apps.ReplicaSet, old []*apps.ReplicaSet) []scale {
	if up := growNew(d, now, old); up != replicas(now.Spec.Replicas) {
		return []scale{{now, up}}
	}
	return shrinkOld(d, now, old)
}

func growNew(d *apps.Deployment, now *apps.ReplicaSet, old []*apps.ReplicaSet) int32 {
	wanted, has := replicas(d.Spec.Replicas), replicas(now.Spec.Replicas)
	if has >= wanted {
		return wanted
	}
	surge, _ := bounds(d)
	room := wanted + surge - (total(old) + has)
	if room <= 0 {
		return has
	}
	return has + min(room, wanted-has)
}

// shrinkOld first takes away old pods that are not ready, then as many others as availability allows.
func shrinkOld(d *apps.Deployment, now *apps.ReplicaSet, old []*apps.ReplicaSet) []scale {
	if total(old) == 0 {
		return nil
	}
	_, unavailable := bounds(d)
	least := replicas(d.Spec.Replicas) - unavailable
	missing := replicas(now.Spec.Replicas) - now.Status.AvailableReplicas
	budget := total(old) + replicas(now.Spec.Replicas) - least - missing
	if budget <= 0 {
		return nil
	}
	old = slices.Clone(old)
	slices.SortFunc(old, older)
	sizes := map[*apps.ReplicaSet]int32{}
	for _, rs := range old {
		sizes[rs] = replicas(rs.Spec.Replicas)
		cut := min(budget, max(0, sizes[rs]-rs.Status.AvailableReplicas))
		sizes[rs] -= cut
		budget -= cut
	}
	available := now.Status.AvailableReplicas
	for _, rs := range old {
		available += rs.Status.AvailableReplicas
	}
	for _, rs := range old {
		cut := max(0, min(sizes[rs], available-least))
		sizes[rs] -= cut
		available -= cut
	}
	return changed(old, sizes)
}

func changed(sets []*apps.ReplicaSet, sizes map[*apps.ReplicaSet]int32) (out []scale) {
	for _, rs := range sets {
		if sizes[rs] != replicas(rs.Spec.Replicas) {
			out = append(out, scale{rs, sizes[rs]})
		}
	}
	return out
}

// proportional spreads a change of the Deployment's size over the sets of a rollout that is under way.
func proportional(d *apps.Deployment, active []*apps.ReplicaSet) []scale {
	surge, _ := bounds(d)
	allowed := int32(0)
	if replicas(d.Spec.Replicas) > 0 {
		allowed = replicas(d.Spec.Replicas) + surge
	}
	difference := allowed - total(active)
	if difference == 0 {
		return nil
	}
	active = slices.Clone(active)
	slices.SortFunc(active, func(a, b *apps.ReplicaSet) int {
		if n := replicas(b.Spec.Replicas) - replicas(a.Spec.Replicas); n != 0 {
			return int(n)
		}
		if difference > 0 {
			return older(b, a)
		}
		return older(a, b)
	})
	sizes, left := map[*apps.ReplicaSet]int32{}, difference
	for _, rs := range active {
		sizes[rs] = replicas(rs.Spec.Replicas)
		share := shareOf(d, rs, allowed)
		if difference > 0 {
			share = min(max(share, 0), left)
		} else {
			share = max(min(share, 0), left)
		}
		sizes[rs] += share
		left -= share
	}
	if len(active) > 0 {
		sizes[active[0]] = max(0, sizes[active[0]]+left)
	}
	return changed(active, sizes)
}

func shareOf(d *apps.Deployment, rs *apps.ReplicaSet, allowed int32) int32 {
	size := replicas(rs.Spec.Replicas)
	if allowed == 0 {
		return -size
	}
	before := d.Status.Replicas
	if n, err := strconv.Atoi(rs.Annotations[maxAnnotation]); err == nil {
		before = int32(n)
	}
	if before == 0 {
		return 0
	}
	return int32(math.Round(float64(size)*float64(allowed)/float64(before))) - size
}

// surplus are old sets beyond the history limit that no longer have pods, oldest revision first.
func surplus(d *apps.Deployment, old []*apps.ReplicaSet) []*apps.ReplicaSet {
	if d.Spec.RevisionHistoryLimit == nil || *d.Spec.RevisionHistoryLimit == math.MaxInt32 {
		return nil
	}
	live := slices.DeleteFunc(slices.Clone(old), func(rs *apps.ReplicaSet) bool { return rs.DeletionTimestamp != nil })
	excess := len(live) - int(*d.Spec.RevisionHistoryLimit)
	if excess <= 0 {
		return nil
	}
	slices.SortStableFunc(live, func(a, b *apps.ReplicaSet) int { return int(revision(a) - revision(b)) })
	return slices.DeleteFunc(live[:excess], func(rs *apps.ReplicaSet) bool {
		return rs.Status.Replicas != 0 || replicas(rs.Spec.Replicas) != 0 || rs.Generation > rs.Status.ObservedGeneration
	})
}

func revision(rs *apps.ReplicaSet) int64 {
	n, err := strconv.ParseInt(rs.Annotations[revisionAnnotation], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func newest(sets []*apps.ReplicaSet) (n int64) {
	for _, rs := range sets {
		n = max(n, revision(rs))
	}
	return n
}

// complete is true when every pod is of the new template and available.
func complete(d *apps.Deployment, s apps.DeploymentStatus) bool {
	wanted := replicas(d.Spec.Replicas)
	return s.UpdatedReplicas == wanted && s.Replicas == wanted && s.AvailableReplicas == wanted && s.ObservedGeneration >= d.Generation
}
