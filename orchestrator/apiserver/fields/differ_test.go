package fields

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/orchestrator/api"
	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/schema"
)

// TestWhatDiffersTellsTheSameAsTheWhole changes objects of every kind at random: the managedFields that come of what differs are those of the
// whole objects.
func TestWhatDiffersTellsTheSameAsTheWhole(t *testing.T) {
	all := api.All()
	var kinds []*kind.Kind
	for i := range all {
		kinds = append(kinds, &all[i])
	}
	tracker := New(kinds, schema.New(all))
	compared, failed := 0, 0
	for _, k := range kinds {
		for i := range k.Versions {
			for _, subresource := range []string{"", "status"} {
				target := Target{Kind: k, Version: &k.Versions[i], Subresource: subresource}
				if _, ok := k.Subresources[subresource]; k.Storage.New == nil || target.Version.FromHub != nil || subresource != "" && !ok {
					continue
				}
				d := dice{rand.New(rand.NewPCG(1, uint64(i)))}
				for range 8 {
					if d.compare(t, tracker, target) {
						compared++
					} else {
						failed++
					}
				}
			}
		}
	}
	if compared < 400 || failed > compared/20 {
		t.Errorf("%d were compared, the fields of %d could not be told", compared, failed)
	}
}

// dice make objects.
type dice struct{ *rand.Rand }

// compare what is told of a new object and of a change to it; false when the fields of the whole objects cannot be told.
func (d dice) compare(t *testing.T, tracker *Tracker, target Target) bool {
	t.Helper()
	whole := Target{Kind: target.Kind, Version: target.Version}
	live := d.object(target.Version.New(), 1)
	made, err := tracker.updated(whole, "maker", nil, live)
	if err != nil {
		return false
	}
	tracker.Update(whole, "maker", nil, live)
	compareEntries(t, whole, live.GetManagedFields(), made)
	live = aged(live)
	changed := d.object(live, 0.1)
	tracker.Update(whole, "other", live, changed)
	live = aged(changed)
	obj := d.object(live, 0.1)
	if semantic(t, live, obj) {
		return true // a list that is empty in place of none is no change at all
	}
	obj.SetManagedFields(d.asked(live.GetManagedFields()))
	manager := []string{"maker", "other", "writer", ""}[d.IntN(4)]
	want, err := tracker.updated(target, manager, live, obj)
	if err != nil {
		return false
	}
	tracker.Update(target, manager, live, obj)
	compareEntries(t, target, obj.GetManagedFields(), want)
	return true
}

// object is a copy of a model with some fields changed.
func (d dice) object(model kind.Object, probability float64) kind.Object {
	obj := model.DeepCopyObject().(kind.Object)
	d.fill(reflect.ValueOf(obj).Elem(), probability)
	obj = bare(obj)
	obj.SetUID(model.GetUID())
	obj.SetManagedFields(model.GetManagedFields())
	return obj
}

// asked are managedFields of a request: none, those that were read, or an alteration of them.
func (d dice) asked(have []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	return [][]metav1.ManagedFieldsEntry{nil, have, {}, {{}}, have[:len(have)/2], append(have[:len(have):len(have)], have...)}[d.IntN(6)]
}

var old = metav1.Unix(1, 0)

// semantic tells whether two objects mean the same but for managedFields, and checks that their difference agrees.
func semantic(t *testing.T, live, obj kind.Object) bool {
	t.Helper()
	a, b := bare(live), bare(obj)
	a.SetManagedFields(nil)
	b.SetManagedFields(nil)
	same := equality.Semantic.DeepEqual(a, b)
	if d := differing(live, obj); d.matters == same {
		t.Errorf("%v\nand %v: the difference matters: %v", live, obj, d.matters)
	}
	return same
}

// aged is an object as it was stored some time ago.
func aged(obj kind.Object) kind.Object {
	obj.SetUID("1")
	for i := range obj.GetManagedFields() {
		obj.GetManagedFields()[i].Time = &old
	}
	return obj
}

func compareEntries(t *testing.T, target Target, got, want []metav1.ManagedFieldsEntry) {
	t.Helper()
	same := sameOwners(got, want)
	for i := range got {
		same = same && got[i].Time.Equal(&old) == want[i].Time.Equal(&old)
	}
	if !same {
		t.Errorf("%s %s: %v\nnot %v", target.gvk(), target.Subresource, got, want)
	}
}

// fill changes each field with a probability.
func (d dice) fill(v reflect.Value, probability float64) {
	if change := d.Float64() < probability; change && d.special(v) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if opaque(v.Type()) {
			return
		}
		for i := range v.NumField() {
			d.fill(v.Field(i), probability)
		}
	case reflect.Pointer:
		d.pointer(v, probability)
	case reflect.Slice:
		d.slice(v, probability)
	case reflect.Map:
		d.mapping(v, probability)
	default:
		if d.Float64() < probability {
			d.scalar(v)
		}
	}
}

func (d dice) pointer(v reflect.Value, probability float64) {
	switch {
	case d.Float64() >= probability || d.IntN(2) == 0:
		if !v.IsNil() {
			d.fill(v.Elem(), probability)
		}
	case v.IsNil():
		v.Set(reflect.New(v.Type().Elem()))
		d.fill(v.Elem(), 1)
	default:
		v.SetZero()
	}
}

func (d dice) slice(v reflect.Value, probability float64) {
	if d.Float64() < probability {
		switch n := d.IntN(4); n {
		case 3:
			v.SetZero()
		default:
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			probability = 1
		}
	}
	for i := range v.Len() {
		d.fill(v.Index(i), probability)
	}
}

func (d dice) mapping(v reflect.Value, probability float64) {
	if d.Float64() >= probability {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range d.IntN(3) {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		d.scalar(key)
		d.fill(value, 1)
		v.SetMapIndex(key, value)
	}
}

func (d dice) scalar(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"", "a", "b", "c"}[d.IntN(4)])
	case reflect.Bool:
		v.SetBool(d.IntN(2) == 0)
	case reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(d.Int64N(3))
	case reflect.Uint8:
		v.SetUint(d.Uint64N(3))
	}
}

// special fills what is more than its fields.
func (d dice) special(v reflect.Value) bool {
	switch p := v.Addr().Interface().(type) {
	case *metav1.Time:
		*p = metav1.Unix(d.Int64N(3), 0)
	case *metav1.MicroTime:
		*p = metav1.MicroTime{Time: time.Unix(d.Int64N(3), 0)}
	case *resource.Quantity:
		*p = *resource.NewQuantity(d.Int64N(3), resource.DecimalSI)
	case *intstr.IntOrString:
		*p = intstr.FromInt32(d.Int32N(3))
	case *runtime.RawExtension:
		*p = runtime.RawExtension{Raw: []byte(`{"a":1}`)}
	default:
		return false
	}
	return true
}
