package fields

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Update notes in obj's managedFields what it changes of live (nil: everything is new). Both are hub objects, and obj has its defaults.
// It never fails a write: when the fields of an object cannot be told, its managedFields stay as they were.
func (t *Tracker) Update(target Target, manager string, live, obj kind.Object) {
	if live == nil {
		entries, err := t.created(target, manager, obj)
		if err != nil {
			entries = nil
		}
		obj.SetManagedFields(entries)
		return
	}
	d := differing(live, obj)
	if settled(target, live, obj, d) {
		return
	}
	entries, err := t.changed(target, manager, live, obj, d)
	if err != nil {
		entries = live.GetManagedFields()
	}
	obj.SetManagedFields(entries)
}

// created are the managedFields of a new object.
func (t *Tracker) created(target Target, manager string, obj kind.Object) ([]metav1.ManagedFieldsEntry, error) {
	if obj.GetManagedFields() != nil {
		return t.updated(target, manager, nil, obj)
	}
	after, err := t.shown(target, obj)
	if err != nil {
		return nil, err
	}
	return t.note(target, manager, nil, withType(target.Version.New(), target.gvk()), after)
}

// changed are the managedFields of obj, which hold what was asked for, after a change of live.
func (t *Tracker) changed(target Target, manager string, live, obj kind.Object, d *difference) ([]metav1.ManagedFieldsEntry, error) {
	if !alike(target, live, obj) {
		return t.updated(target, manager, live, obj)
	}
	entries := live.GetManagedFields()
	if asked := obj.GetManagedFields(); asked != nil && target.Subresource == "" {
		entries = asked
	}
	if len(entries) > 0 && ordinary(entries, target.gvk().GroupVersion().String()) {
		return t.note(target, manager, entries, d.before, d.after)
	}
	d.before.SetManagedFields(live.GetManagedFields())
	d.after.SetManagedFields(obj.GetManagedFields())
	return t.updated(target, manager, d.before, d.after)
}

// settled takes care of the writes that need no comparing of fields: objects that are not tracked, and writes that change nothing.
func settled(target Target, live, obj kind.Object, d *difference) bool {
	asked, have := obj.GetManagedFields(), live.GetManagedFields()
	silent := asked == nil || target.Subresource != ""
	if len(have) == 0 && silent {
		obj.SetManagedFields(nil)
		return true
	}
	if !d.matters && (silent || sameOwners(asked, have)) {
		obj.SetManagedFields(have)
		return true
	}
	return false
}

// alike tells whether everything that is known of two objects is about the one version in which they are kept: only then does it suffice to
// compare what differs, since a conversion wants to see all of an object.
func alike(target Target, live, obj kind.Object) bool {
	if target.Version.FromHub != nil {
		return false
	}
	version := target.gvk().GroupVersion().String()
	other := func(e metav1.ManagedFieldsEntry) bool { return e.APIVersion != version }
	return !slices.ContainsFunc(live.GetManagedFields(), other) && !slices.ContainsFunc(obj.GetManagedFields(), other)
}

// updated has a FieldManager find the managedFields of obj, which hold what was asked for, after a change of live.
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
