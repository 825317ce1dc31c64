package fields

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Update notes in obj's managedFields what it changes of live (nil: everything is new). Both are hub objects, and obj has its defaults.
// It never fails a write: when the fields of an object cannot be told, its managedFields stay as they were.
func (t *Tracker) Update(target Target, manager string, live, obj kind.Object) {
	if live != nil && t.settled(target, live, obj) {
		return
	}
	entries, err := t.updated(target, manager, live, obj)
	switch {
	case err == nil:
		obj.SetManagedFields(entries)
	case live != nil:
		obj.SetManagedFields(live.GetManagedFields())
	default:
		obj.SetManagedFields(nil)
	}
}

// settled takes care of the writes that need no comparing of fields: objects that are not tracked, and writes that change nothing.
func (t *Tracker) settled(target Target, live, obj kind.Object) bool {
	asked, have := obj.GetManagedFields(), live.GetManagedFields()
	silent := asked == nil || target.Subresource != ""
	if len(have) == 0 && silent {
		obj.SetManagedFields(nil)
		return true
	}
	if !silent && !sameOwners(asked, have) {
		return false
	}
	obj.SetManagedFields(have)
	if equality.Semantic.DeepEqual(obj, live) {
		return true
	}
	obj.SetManagedFields(asked)
	return false
}

func (t *Tracker) updated(target Target, manager string, live, obj kind.Object) ([]metav1.ManagedFieldsEntry, error) {
	m, err := t.manager(target)
	if err != nil {
		return nil, err
	}
	before, err := t.shown(target, live)
	if err != nil {
		return nil, err
	}
	after, err := t.shown(target, obj)
	if err != nil {
		return nil, err
	}
	result, err := m.Update(before, shallow(after), manager)
	if err != nil {
		return nil, err
	}
	return result.(kind.Object).GetManagedFields(), nil
}

// shown is a hub object in the version of the target, with its type; nil is an empty one.
func (t *Tracker) shown(target Target, hub kind.Object) (kind.Object, error) {
	if hub == nil {
		return withType(target.Version.New(), target.gvk()), nil
	}
	obj, err := convert(target.Version.FromHub, hub)
	if err != nil {
		return nil, err
	}
	return withType(obj, target.gvk()), nil
}

// ManagerName is who writes: the fieldManager that the request names, else what its user agent says before the first slash.
func ManagerName(fieldManager, userAgent string) string {
	if fieldManager != "" {
		return fieldManager
	}
	agent, _, _ := strings.Cut(userAgent, "/")
	var name strings.Builder
	for _, r := range agent {
		if !unicode.IsPrint(r) {
			continue
		}
		if name.Len()+utf8.RuneLen(r) > validation.FieldManagerMaxLength {
			break
		}
		name.WriteRune(r)
	}
	return name.String()
}
