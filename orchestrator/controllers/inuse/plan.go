package inuse

import (
	"slices"

	core "k8s.io/api/core/v1"
)

// The finalizers that this package owns.
const (
	claimFinalizer  = "kubernetes.io/pvc-protection"
	volumeFinalizer = "kubernetes.io/pv-protection"
)

// uses tells whether a pod holds a claim: one that has a node and has not left it. Ended pods hold nothing.
func uses(p *core.Pod, claim *core.PersistentVolumeClaim) bool {
	if p.Namespace != claim.Namespace || p.Spec.NodeName == "" || p.Status.Phase == core.PodSucceeded || p.Status.Phase == core.PodFailed {
		return false
	}
	for i := range p.Spec.Volumes {
		if claimOf(p, &p.Spec.Volumes[i]) == claim.Name {
			return true
		}
	}
	return false
}

// claimOf a pod's volume: the named one, or the one made for an ephemeral volume; empty for other volumes.
func claimOf(p *core.Pod, v *core.Volume) string {
	switch {
	case v.PersistentVolumeClaim != nil:
		return v.PersistentVolumeClaim.ClaimName
	case v.Ephemeral != nil:
		return p.Name + "-" + v.Name
	}
	return ""
}

// finalizersOf an object after the protection is put on (a living object) or, once nothing uses it, taken away. ok: nothing changes.
func finalizersOf(finalizers []string, finalizer string, deleted, used bool) (wanted []string, ok bool) {
	has := slices.Contains(finalizers, finalizer)
	switch {
	case !deleted && !has:
		return append(slices.Clone(finalizers), finalizer), false
	case deleted && has && !used:
		return slices.DeleteFunc(slices.Clone(finalizers), func(f string) bool { return f == finalizer }), false
	}
	return finalizers, true
}
