package fields

import (
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

const (
	// maxUpdaters is how many entries of updates an object keeps; of more, a FieldManager merges the oldest.
	maxUpdaters = 10
	// fieldsV1 is the one form in which fields are told.
	fieldsV1 = "FieldsV1"
	// unnamed is the manager of writers that do not say who they are.
	unnamed = "unknown"
)

// notOwned are the fields that nobody owns.
var notOwned = fieldpath.NewSet(
	pathOf("apiVersion"), pathOf("kind"), pathOf("metadata"), pathOf("metadata.name"), pathOf("metadata.namespace"), pathOf("metadata.creationTimestamp"),
	pathOf("metadata.selfLink"), pathOf("metadata.uid"), pathOf("metadata.clusterName"), pathOf("metadata.generation"), pathOf("metadata.managedFields"),
	pathOf("metadata.resourceVersion"),
)

// owner tells entries apart.
type owner struct {
	manager     string
	operation   metav1.ManagedFieldsOperationType
	subresource string
}

func ownerOf(e *metav1.ManagedFieldsEntry) owner { return owner{e.Manager, e.Operation, e.Subresource} }

// ordinary entries are those of one version, one for each owner, none too many: note knows how to go on from them.
func ordinary(entries []metav1.ManagedFieldsEntry, version string) bool {
	updates := 0
	for i := range entries {
		e := &entries[i]
		switch e.Operation {
		case metav1.ManagedFieldsOperationUpdate:
			updates++
		case metav1.ManagedFieldsOperationApply:
		default:
			return false
		}
		again := slices.ContainsFunc(entries[:i], func(o metav1.ManagedFieldsEntry) bool { return ownerOf(&o) == ownerOf(e) })
		if again || e.APIVersion != version || e.FieldsType != fieldsV1 || e.FieldsV1 == nil {
			return false
		}
	}
	return updates < maxUpdaters
}

// note does for ordinary entries what a FieldManager does for all (KEP-555, "Update"): everyone loses the fields that changed, and the writer gets
// those that it set. The entries before are left alone.
func (t *Tracker) note(target Target, manager string, entries []metav1.ManagedFieldsEntry, before, after kind.Object) ([]metav1.ManagedFieldsEntry, error) {
	old, changes, err := t.changes(target, before, after)
	if err != nil {
		return nil, err
	}
	changed := changes.Modified.Union(changes.Added)
	writer, own := owner{cmp.Or(manager, unnamed), metav1.ManagedFieldsOperationUpdate, target.Subresource}, changed.Difference(notOwned)
	noted := make([]metav1.ManagedFieldsEntry, 0, len(entries)+1)
	for _, e := range entries {
		was, err := t.sets.of(target.gvk(), old, e.FieldsV1)
		if err != nil {
			return nil, err
		}
		left := was.without(changed, changes.Removed)
		switch {
		case left.Empty():
		case ownerOf(&e) == writer && !own.Empty():
			own = own.Union(left)
		default:
			if e.FieldsV1, err = was.told(left); err != nil {
				return nil, err
			}
			noted = append(noted, e)
		}
	}
	if !own.Empty() {
		told, err := tell(own)
		if err != nil {
			return nil, err
		}
		noted = append(noted, writer.entry(target, told))
	}
	if len(noted) == 0 {
		return nil, nil
	}
	slices.SortFunc(noted, inOrder)
	return noted, nil
}

// changes between two objects, but for what a write to the target cannot change, and the first of the two as its type has it.
func (t *Tracker) changes(target Target, before, after kind.Object) (*typed.TypedValue, *typed.Comparison, error) {
	of, err := t.types.Type(target.gvk())
	if err != nil {
		return nil, nil, err
	}
	x, err := value.NewValueReflect(before)
	if err != nil {
		return nil, nil, err
	}
	y, err := value.NewValueReflect(after)
	if err != nil {
		return nil, nil, err
	}
	// Comparing validates along the way.
	old := typed.AsTypedUnvalidated(x, of.Schema, of.TypeRef)
	changes, err := old.Compare(typed.AsTypedUnvalidated(y, of.Schema, of.TypeRef))
	if err != nil {
		return nil, nil, err
	}
	return old, changes.FilterFields(t.filter(target)), nil
}

func (o owner) entry(target Target, fields *metav1.FieldsV1) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: o.manager, Operation: o.operation, APIVersion: target.gvk().GroupVersion().String(), Subresource: o.subresource,
		Time: &metav1.Time{Time: time.Now().UTC()}, FieldsType: fieldsV1, FieldsV1: fields,
	}
}

// inOrder is the order of entries: applied ones first, then by age.
func inOrder(a, b metav1.ManagedFieldsEntry) int {
	return cmp.Or(
		cmp.Compare(a.Operation, b.Operation), cmp.Compare(seconds(a.Time), seconds(b.Time)), cmp.Compare(a.Manager, b.Manager),
		cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Subresource, b.Subresource),
	)
}

func seconds(t *metav1.Time) int64 {
	if t == nil {
		return 0
	}
	return t.Unix()
}
