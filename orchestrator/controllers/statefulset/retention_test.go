package statefulset

import (
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The owners are those that v1.37.2 gave to claims.
func TestOwnersOfClaimsFollowThePolicy(t *testing.T) {
	const retain, remove = apps.RetainPersistentVolumeClaimRetentionPolicyType, apps.DeletePersistentVolumeClaimRetentionPolicyType
	yes := true
	pod := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: "s-1", UID: "pod"}}
	mine := meta.OwnerReference{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "s", UID: "set", Controller: &yes, BlockOwnerDeletion: &yes}
	pods := meta.OwnerReference{APIVersion: "v1", Kind: "Pod", Name: "s-1", UID: "pod", Controller: &yes, BlockOwnerDeletion: &yes}
	foreign := meta.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "c", UID: "other", Controller: &yes}
	beside := meta.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "c", UID: "other"}
	none := []meta.OwnerReference{}
	for _, row := range []struct {
		name                    string
		whenDeleted, whenScaled apps.PersistentVolumeClaimRetentionPolicyType
		condemned               bool
		had, want               []meta.OwnerReference
		changed                 bool
	}{
		{"neither", retain, retain, false, none, none, false},
		{"whenDeleted", remove, retain, false, none, []meta.OwnerReference{mine}, true},
		{"whenDeleted, as it is", remove, retain, false, []meta.OwnerReference{mine}, []meta.OwnerReference{mine}, false},
		{"whenDeleted, scaled down", remove, retain, true, none, []meta.OwnerReference{mine}, true},
		{"both", remove, remove, false, none, []meta.OwnerReference{mine}, true},
		{"both, scaled down", remove, remove, true, []meta.OwnerReference{mine}, []meta.OwnerReference{pods}, true},
		{"both, scaled down and up again", remove, remove, false, []meta.OwnerReference{pods}, []meta.OwnerReference{mine}, true},
		{"whenScaled", retain, remove, false, []meta.OwnerReference{mine}, none, true},
		{"whenScaled, scaled down", retain, remove, true, none, []meta.OwnerReference{pods}, true},
		{"switched off", retain, retain, false, []meta.OwnerReference{mine}, none, true},
		{"of another controller", remove, remove, true, []meta.OwnerReference{foreign}, []meta.OwnerReference{foreign}, false},
		{"beside another owner", remove, retain, false, []meta.OwnerReference{beside}, []meta.OwnerReference{beside, mine}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			set := &apps.StatefulSet{ObjectMeta: meta.ObjectMeta{Name: "s", UID: "set"}, Spec: apps.StatefulSetSpec{
				PersistentVolumeClaimRetentionPolicy: &apps.StatefulSetPersistentVolumeClaimRetentionPolicy{WhenDeleted: row.whenDeleted, WhenScaled: row.whenScaled},
			}}
			claim := &core.PersistentVolumeClaim{ObjectMeta: meta.ObjectMeta{OwnerReferences: row.had}}
			if got := reown(claim, ownerWanted(set, pod, row.condemned), set.UID, pod.UID); got != row.changed {
				t.Errorf("changed: %v", got)
			}
			if len(claim.OwnerReferences) != len(row.want) {
				t.Fatalf("owners %v, want %v", claim.OwnerReferences, row.want)
			}
			for i, ref := range claim.OwnerReferences {
				if w := row.want[i]; ref.UID != w.UID || ref.Kind != w.Kind || ref.APIVersion != w.APIVersion || (ref.Controller == nil) != (w.Controller == nil) {
					t.Errorf("owner %v, want %v", ref, w)
				}
			}
		})
	}
}

func TestAPodWaitsUntilTheClaimOfItsFormerLifeIsGone(t *testing.T) {
	yes, two := true, int32(2)
	old := meta.OwnerReference{APIVersion: "v1", Kind: "Pod", Name: "s-1", UID: "old", Controller: &yes}
	for _, row := range []struct {
		name  string
		claim meta.ObjectMeta
		want  bool
	}{
		{"kept", meta.ObjectMeta{}, false},
		{"being deleted", meta.ObjectMeta{DeletionTimestamp: &meta.Time{}}, true},
		{"owned by the pod that was", meta.ObjectMeta{OwnerReferences: []meta.OwnerReference{old}}, true},
	} {
		if got := leaving(&core.PersistentVolumeClaim{ObjectMeta: row.claim}, "s-1"); got != row.want {
			t.Errorf("%s: leaving is %v", row.name, got)
		}
	}
	set := &apps.StatefulSet{ObjectMeta: meta.ObjectMeta{Name: "s"}, Spec: apps.StatefulSetSpec{Replicas: &two, PodManagementPolicy: apps.ParallelPodManagement}}
	s := &situation{set: set, pods: map[int]*core.Pod{}, leaving: map[int]bool{1: true}}
	if steps := s.plan(); len(steps) != 1 || steps[0].ordinal != 0 {
		t.Errorf("planned %+v; want pod 0 only", steps)
	}
}
