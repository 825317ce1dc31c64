package fields

import (
	"bytes"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/generations"
)

// maxSetBytes bounds the texts of a generation of remembered sets. A set takes ten to twenty times its text.
const maxSetBytes = 128 << 10

// sets remembers what the fields in managedFields mean: most objects of a kind are written by the same few writers, so that one text stands in all
// of them. Others, which tell the address of a pod, stand in one object alone: what is not asked for again is forgotten with its generation. The
// zero value is ready.
type sets struct {
	once  sync.Once
	known generations.Cache[text, *owned]
}

// text of a set is about one kind of objects.
type text struct {
	gvk schema.GroupVersionKind
	raw string
}

// owned is a set and how it is told. Neither is ever altered.
type owned struct {
	set    *fieldpath.Set
	fields *metav1.FieldsV1
}

// of reads fields of objects of one type, which example has.
func (s *sets) of(gvk schema.GroupVersionKind, example *typed.TypedValue, fields *metav1.FieldsV1) (*owned, error) {
	raw := fields.GetRawBytes()
	key := text{gvk, string(raw)}
	s.once.Do(func() { s.known.Limit = maxSetBytes })
	if o, ok := s.known.Get(key); ok {
		return o, nil
	}
	o, err := read(example, raw)
	if err != nil {
		return nil, err
	}
	s.known.Put(key, o, len(raw))
	return o, nil
}

// read makes a set of its text, as today's type sees it: a field that has become atomic is owned as a whole.
func read(example *typed.TypedValue, raw []byte) (*owned, error) {
	set := fieldpath.NewSet()
	if err := set.FromJSON(bytes.NewReader(raw)); err != nil {
		return nil, err
	}
	reconciled, err := typed.ReconcileFieldSetWithSchema(set, example)
	if err != nil {
		return nil, err
	}
	if reconciled != nil {
		set = reconciled
	}
	fields, err := tell(set)
	return &owned{set, fields}, err
}

// without what changed, and what was removed.
func (o *owned) without(changed, removed *fieldpath.Set) *fieldpath.Set {
	left := o.set
	if lost := left.Intersection(changed); !lost.Empty() {
		left = left.Difference(lost)
	}
	if !removed.Empty() {
		left = left.Difference(removed)
	}
	return left
}

// told is the text of what is left of it.
func (o *owned) told(left *fieldpath.Set) (*metav1.FieldsV1, error) {
	if left == o.set || left.Equals(o.set) {
		return o.fields, nil
	}
	return tell(left)
}

func tell(set *fieldpath.Set) (*metav1.FieldsV1, error) {
	raw, err := set.ToJSON()
	if err != nil {
		return nil, err
	}
	told := &metav1.FieldsV1{}
	told.SetRawBytes(raw)
	return told, nil
}
