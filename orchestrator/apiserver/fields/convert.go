package fields

import (
	"errors"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Types knows how the objects of a kind are merged.
type Types interface {
	Type(gvk schema.GroupVersionKind) (typed.ParseableType, error)
}

// typer is the converter that field managers ask for. It implements managedfields.TypeConverter.
type typer struct{ types Types }

func (t typer) ObjectToTyped(obj runtime.Object, opts ...typed.ValidationOptions) (*typed.TypedValue, error) {
	gvk := obj.GetObjectKind().GroupVersionKind()
	found, err := t.types.Type(gvk)
	if err != nil {
		return nil, runtime.NewNotRegisteredErrForKind("types of the catalogue", gvk)
	}
	if u, ok := obj.(*unstructured.Unstructured); ok {
		return found.FromUnstructured(u.Object, opts...)
	}
	return found.FromStructured(obj, opts...)
}

func (t typer) TypedToObject(value *typed.TypedValue) (runtime.Object, error) {
	content, ok := value.AsValue().Unstructured().(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a merged object is a %T", value.AsValue().Unstructured())
	}
	return &unstructured.Unstructured{Object: content}, nil
}

// versions converts between the served versions of kinds. It implements the interfaces that field managers ask for: runtime.ObjectConvertor
// and runtime.ObjectCreater. Objects carry their type throughout; the hub is left to the moment when a version is wanted.
type versions struct {
	known map[schema.GroupVersionKind]served
}

type served struct {
	kind    *kind.Kind
	version *kind.Version
}

func newVersions(kinds []*kind.Kind) *versions {
	v := &versions{known: map[schema.GroupVersionKind]served{}}
	for _, k := range kinds {
		for i := range k.Versions {
			v.known[schema.GroupVersionKind{Group: k.Group, Version: k.Versions[i].Name, Kind: k.Names.Kind}] = served{k, &k.Versions[i]}
		}
	}
	return v
}

// New implements runtime.ObjectCreater.
func (v *versions) New(gvk schema.GroupVersionKind) (runtime.Object, error) {
	if found, ok := v.known[gvk]; ok {
		return withType(found.version.New(), gvk), nil
	}
	obj, err := scheme.Scheme.New(gvk) // bodies of subresources
	if err != nil {
		return nil, err
	}
	obj.GetObjectKind().SetGroupVersionKind(gvk)
	return obj, nil
}

// ConvertToVersion implements runtime.ObjectConvertor. It leaves its argument alone.
func (v *versions) ConvertToVersion(in runtime.Object, target runtime.GroupVersioner) (runtime.Object, error) {
	from := in.GetObjectKind().GroupVersionKind()
	gv, ok := target.(schema.GroupVersion)
	if !ok {
		return nil, fmt.Errorf("convert %s to %v: not a version", from, target)
	}
	if gv.Version == runtime.APIVersionInternal {
		return in, nil
	}
	to := gv.WithKind(from.Kind)
	structured, err := v.structured(in, from)
	if err != nil {
		return nil, err
	}
	if from == to {
		return unmanaged(structured), nil
	}
	return v.between(structured, from, to)
}

// structured is the Go type of what a merge left as a tree of maps.
func (v *versions) structured(in runtime.Object, gvk schema.GroupVersionKind) (runtime.Object, error) {
	u, ok := in.(*unstructured.Unstructured)
	if !ok {
		return in, nil
	}
	obj, err := v.New(gvk)
	if err != nil {
		return nil, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, obj); err != nil {
		return nil, fmt.Errorf("read a merged %s: %w", gvk.Kind, err)
	}
	return obj, nil
}

// between goes from one served version to another, perhaps of another group, by way of the hub that they share.
func (v *versions) between(in runtime.Object, from, to schema.GroupVersionKind) (runtime.Object, error) {
	source, known := v.known[from]
	target, served := v.known[to]
	if !known || !served || source.kind.Storage.Prefix != target.kind.Storage.Prefix {
		return nil, runtime.NewNotRegisteredErrForKind("versions of the catalogue", to)
	}
	obj, err := convert(source.version.ToHub, bare(in.(kind.Object)))
	if err != nil {
		return nil, err
	}
	if obj, err = convert(target.version.FromHub, obj); err != nil {
		return nil, err
	}
	return withType(obj, to), nil
}

func convert(step func(kind.Object) (kind.Object, error), obj kind.Object) (kind.Object, error) {
	if step == nil {
		return obj, nil
	}
	return step(obj)
}

var errUnused = errors.New("field managers convert whole objects only")

// Convert implements runtime.ObjectConvertor.
func (v *versions) Convert(_, _, _ any) error { return errUnused }

// ConvertFieldLabel implements runtime.ObjectConvertor.
func (v *versions) ConvertFieldLabel(schema.GroupVersionKind, string, string) (string, string, error) {
	return "", "", errUnused
}

// withType is the object itself when it carries the type, else a shallow copy that does.
func withType(obj kind.Object, gvk schema.GroupVersionKind) kind.Object {
	if obj.GetObjectKind().GroupVersionKind() == gvk {
		return obj
	}
	copied := shallow(obj)
	copied.GetObjectKind().SetGroupVersionKind(gvk)
	return copied
}

// bare is a copy without type.
func bare(obj kind.Object) kind.Object {
	copied := shallow(obj)
	copied.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	return copied
}

// unmanaged is an object without managedFields: they are kept apart from what they are about, and comparing them costs more than comparing a Pod.
func unmanaged(obj runtime.Object) runtime.Object {
	o, ok := obj.(kind.Object)
	if !ok || o.GetManagedFields() == nil {
		return obj
	}
	copied := shallow(o)
	copied.SetManagedFields(nil)
	return copied
}

// shallow copies an object's own fields, so that type and metadata can be set without touching the original.
func shallow(obj kind.Object) kind.Object {
	v := reflect.ValueOf(obj).Elem()
	c := reflect.New(v.Type())
	c.Elem().Set(v)
	return c.Interface().(kind.Object)
}

// sameOwners tells that two lists differ in nothing but times.
func sameOwners(a, b []metav1.ManagedFieldsEntry) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i], b[i]
		x.Time, y.Time = nil, nil
		if !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return true
}
