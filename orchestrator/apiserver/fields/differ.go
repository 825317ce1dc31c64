package fields

import (
	"encoding/json"
	"reflect"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// difference is two copies of objects of one type that keep only the fields in which the two differ, and their UIDs: comparing them field by field
// comes to the same as comparing the objects. Structs are gone into; a list or a map is kept whole, or not at all. Type and managedFields are left
// out. It is strict: what it leaves out is deeply equal.
type difference struct {
	before, after kind.Object
	// matters: something that was kept also means something else, as an empty list in place of none does not.
	matters bool
}

func differing(live, obj kind.Object) *difference {
	d := &difference{before: shallow(live), after: shallow(obj)}
	for _, o := range []kind.Object{d.before, d.after} {
		o.SetManagedFields(nil)
		o.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	d.reduce(reflect.ValueOf(d.before).Elem(), reflect.ValueOf(d.after).Elem())
	d.before.SetUID(live.GetUID())
	d.after.SetUID(obj.GetUID())
	return d
}

// reduce empties two structs of what they have in common, and tells whether that was everything. They are altered, but not what they point to.
func (d *difference) reduce(a, b reflect.Value) bool {
	all := true
	for i := range a.NumField() {
		x, y := a.Field(i), b.Field(i)
		if !d.same(x, y) {
			all = false
			continue
		}
		x.SetZero()
		y.SetZero()
	}
	return all
}

// same tells whether two fields are equal; structs in them that are not are reduced.
func (d *difference) same(x, y reflect.Value) bool {
	switch x.Kind() {
	case reflect.Struct:
		if !opaque(x.Type()) {
			return d.reduce(x, y)
		}
	case reflect.Pointer:
		if !x.IsNil() && !y.IsNil() && x.UnsafePointer() != y.UnsafePointer() && x.Type().Elem().Kind() == reflect.Struct && !opaque(x.Type().Elem()) {
			x.Set(copied(x))
			y.Set(copied(y))
			return d.reduce(x.Elem(), y.Elem())
		}
	}
	if equal(x, y) {
		return true
	}
	d.matters = d.matters || !equality.Semantic.DeepEqual(x.Addr().Interface(), y.Addr().Interface())
	return false
}

// equal compares the whole of two fields; most are short, or empty.
func equal(x, y reflect.Value) bool {
	switch x.Kind() {
	case reflect.String:
		return x.String() == y.String()
	case reflect.Slice, reflect.Map, reflect.Pointer:
		if x.IsNil() || y.IsNil() {
			return x.IsNil() && y.IsNil()
		}
	}
	return reflect.DeepEqual(x.Addr().Interface(), y.Addr().Interface())
}

var marshaler = reflect.TypeFor[json.Marshaler]()

// opaque structs (times, quantities) have a form of their own, which their fields do not tell.
func opaque(t reflect.Type) bool {
	return t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler)
}

func copied(pointer reflect.Value) reflect.Value {
	c := reflect.New(pointer.Type().Elem())
	c.Elem().Set(pointer.Elem())
	return c
}
