package statefulset

import (
	"slices"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Owners of a claim decide what becomes of it (KEP-1847): a set that is one takes it along when it is deleted, a pod that is one when the set is
// scaled down.

func setRef(set *apps.StatefulSet) meta.OwnerReference {
	return *meta.NewControllerRef(set, apps.SchemeGroupVersion.WithKind("StatefulSet"))
}

// ownerWanted of a claim, nil for none. condemned: its pod is beyond the replicas.
func ownerWanted(set *apps.StatefulSet, pod *core.Pod, condemned bool) *meta.OwnerReference {
	const remove = apps.DeletePersistentVolumeClaimRetentionPolicyType
	policy := set.Spec.PersistentVolumeClaimRetentionPolicy
	switch {
	case policy == nil:
		return nil
	case condemned && policy.WhenScaled == remove:
		return meta.NewControllerRef(pod, core.SchemeGroupVersion.WithKind("Pod"))
	case policy.WhenDeleted == remove:
		ref := setRef(set)
		return &ref
	}
	return nil
}

// reown gives a claim the owner that it should have, among others that are none of ours; it is false when nothing changes, and for a claim that
// somebody else controls.
func reown(claim *core.PersistentVolumeClaim, wanted *meta.OwnerReference, set, pod types.UID) bool {
	ours := func(ref meta.OwnerReference) bool { return ref.UID == set || ref.UID == pod }
	if c := meta.GetControllerOfNoCopy(claim); c != nil && !ours(*c) {
		return false
	}
	refs := slices.DeleteFunc(slices.Clone(claim.OwnerReferences), ours)
	if wanted != nil {
		refs = append(refs, *wanted)
	}
	if equality.Semantic.DeepEqual(refs, claim.OwnerReferences) {
		return false
	}
	claim.OwnerReferences = refs
	return true
}

// leaving is true for a claim that goes, or will go with an earlier pod of that name: the next pod must not take it.
func leaving(claim *core.PersistentVolumeClaim, pod string) bool {
	c := meta.GetControllerOfNoCopy(claim)
	return claim.DeletionTimestamp != nil || c != nil && c.Kind == "Pod" && c.Name == pod
}
