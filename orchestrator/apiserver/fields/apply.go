package fields

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Apply merges an applied configuration into live (nil: there is none yet) in the name of a manager, and returns the wanted object in the
// target's version. What others own is a conflict, unless force takes it from them.
func (t *Tracker) Apply(target Target, manager string, force bool, live kind.Object, patch *unstructured.Unstructured) (kind.Object, error) {
	m, err := t.manager(target)
	if err != nil {
		return nil, err
	}
	before, err := t.shown(target, live)
	if err != nil {
		return nil, err
	}
	merged, err := m.Apply(before, patch, manager, force)
	if err != nil {
		return nil, err
	}
	return bare(merged.(kind.Object)), nil
}

// KeepTimes undoes a change of times in managedFields that came with no other change: an apply of what is there already is no write.
func KeepTimes(live, obj kind.Object) {
	entries := obj.GetManagedFields()
	if live == nil || !sameOwners(entries, live.GetManagedFields()) {
		return
	}
	obj.SetManagedFields(live.GetManagedFields())
	if !equality.Semantic.DeepEqual(obj, live) {
		obj.SetManagedFields(entries)
	}
}
