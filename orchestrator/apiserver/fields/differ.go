package fields

import (
	"encoding/json"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// differing are copies of two objects of one type that keep only the fields in which the two differ, and their UIDs: comparing them field by
// field comes to the same as comparing the objects. Structs are gone into; a list or a map is kept whole, or not at all. Type and managedFields
// are left out. It is strict: what it leaves out is deeply equal, what it keeps may still mean the same.
func differing(live, obj kind.Object) (before, after kind.Object) {
	before, after = shallow(live), shallow(obj)
	for _, o := range []kind.Object{before, after} {
		o.SetManagedFields(nil)
		o.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	if !reduce(reflect.ValueOf(before).Elem(), reflect.ValueOf(after).Elem()) {
		before.SetUID(live.GetUID())
		after.SetUID(obj.GetUID())
	}
	return before, after
}

// reduce empties two structs of what they have in common, and tells whether that was everything. They are altered, but not what they point to.
func reduce(a, b reflect.Value) bool {
	all := true
	for i := range a.NumField() {
		x, y := a.Field(i), b.Field(i)
		if !same(x, y) {
			all = false
			continue
		}
		x.SetZero()
		y.SetZero()
	}
	return all
}

var marshaler = reflect.TypeFor[json.Marshaler]()

// same tells whether two fields are equal; structs in them that are not are reduced.
func same(x, y reflect.Value) bool {
	switch x.Kind() {
	case reflect.String:
		return x.String() == y.String()
	case reflect.Struct:
		if opaque(x.Type()) {
			break
		}
		return reduce(x, y)
	case reflect.Pointer:
		if x.IsNil() || y.IsNil() || x.UnsafePointer() == y.UnsafePointer() {
			return x.UnsafePointer() == y.UnsafePointer()
		}
		if x.Type().Elem().Kind() != reflect.Struct || opaque(x.Type().Elem()) {
			break
		}
		x.Set(copied(x))
		y.Set(copied(y))
		return reduce(x.Elem(), y.Elem())
	}
	return reflect.DeepEqual(x.Addr().Interface(), y.Addr().Interface())
}

// opaque structs (times, quantities) have a form of their own, which their fields do not tell.
func opaque(t reflect.Type) bool {
	return t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler)
}

func copied(pointer reflect.Value) reflect.Value {
	c := reflect.New(pointer.Type().Elem())
	c.Elem().Set(pointer.Elem())
	return c
}
