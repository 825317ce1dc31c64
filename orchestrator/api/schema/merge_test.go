package schema_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	merge "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/plumb-k8s/plumb/orchestrator/api"
	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	ours "github.com/plumb-k8s/plumb/orchestrator/api/schema"
)

// TestTypesMergeAsClientsExpect compares every kind of the catalogue, field by field, with the schema that client-go carries for its
// apply configurations: a peer made by other means.
func TestTypesMergeAsClientsExpect(t *testing.T) {
	peer := applyconfigurations.NewTypeConverter(scheme.Scheme)
	schemas := ours.New(api.All())
	compared := 0
	for _, k := range api.All() {
		if k.Virtual {
			continue // clients do not apply reviews, so client-go has no types of them
		}
		for _, v := range k.Versions {
			gvk := schema.GroupVersionKind{Group: k.Group, Version: v.Name, Kind: k.Names.Kind}
			t.Run(gvk.String(), func(t *testing.T) {
				want := peerType(t, peer, v.New(), gvk)
				got, err := schemas.Type(gvk)
				if err != nil {
					t.Fatal(err)
				}
				c := comparison{t: t, got: got.Schema, want: want.Schema, seen: map[string]bool{}}
				c.references(gvk.Kind, got.TypeRef, want.TypeRef)
				compared += len(c.seen)
			})
		}
	}
	if compared < 500 {
		t.Errorf("compared only %d types", compared)
	}
}

func peerType(t *testing.T, peer managedfields.TypeConverter, object kind.Object, gvk schema.GroupVersionKind) typed.ParseableType {
	t.Helper()
	object.GetObjectKind().SetGroupVersionKind(gvk)
	value, err := peer.ObjectToTyped(object)
	if err != nil {
		t.Fatal(err)
	}
	return typed.ParseableType{Schema: value.Schema(), TypeRef: value.TypeRef()}
}

// comparison walks two schemas in step.
type comparison struct {
	t         *testing.T
	got, want *merge.Schema
	seen      map[string]bool
}

func (c comparison) references(path string, got, want merge.TypeRef) {
	if got.NamedType != nil && want.NamedType != nil {
		if c.seen[*got.NamedType] {
			return
		}
		c.seen[*got.NamedType] = true
	}
	a, ok := c.got.Resolve(got)
	b, known := c.want.Resolve(want)
	if !ok || !known {
		c.t.Errorf("%s: resolved %v, want %v", path, ok, known)
		return
	}
	c.atoms(path, a, b)
}

func (c comparison) atoms(path string, got, want merge.Atom) {
	if c.differ(path, "scalar", describe(got.Scalar), describe(want.Scalar)) {
		return
	}
	if describe(want.Scalar) == "untyped" && want.Map == nil {
		return // int-or-string: stock's server reads it from OpenAPI v3, as we do, and clients from v2, where it has a type
	}
	if c.differ(path, "list", got.List != nil, want.List != nil) || c.differ(path, "map", got.Map != nil, want.Map != nil) {
		return
	}
	if got.List != nil {
		c.differ(path, "relationship of items", got.List.ElementRelationship, want.List.ElementRelationship)
		c.differ(path, "keys", fmt.Sprint(got.List.Keys), fmt.Sprint(want.List.Keys))
		c.references(path+"[]", got.List.ElementType, want.List.ElementType)
	}
	if got.Map != nil {
		c.differ(path, "relationship of values", separable(got.Map.ElementRelationship), separable(want.Map.ElementRelationship))
		c.fields(path, got.Map, want.Map)
		if !reflect.DeepEqual(want.Map.ElementType, merge.TypeRef{}) || !reflect.DeepEqual(got.Map.ElementType, merge.TypeRef{}) {
			c.references(path+"{}", got.Map.ElementType, want.Map.ElementType)
		}
	}
}

func (c comparison) fields(path string, got, want *merge.Map) {
	a, b := byName(got), byName(want)
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if c.differ(path, "has "+name, hasKey(a, name), true) {
			continue
		}
		c.differ(path+"."+name, "default", fmt.Sprint(a[name].Default), fmt.Sprint(b[name].Default))
		c.references(path+"."+name, a[name].Type, b[name].Type)
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		c.differ(path, "has "+name, true, hasKey(b, name))
	}
}

func (c comparison) differ(path, what string, got, want any) bool {
	if got != want {
		c.t.Errorf("%s: %s is %v, want %v", path, what, got, want)
	}
	return got != want
}

func byName(m *merge.Map) map[string]merge.StructField {
	fields := map[string]merge.StructField{}
	for _, f := range m.Fields {
		fields[f.Name] = f
	}
	return fields
}

func hasKey(m map[string]merge.StructField, name string) bool {
	_, ok := m[name]
	return ok
}

func describe(s *merge.Scalar) merge.Scalar {
	if s == nil {
		return ""
	}
	return *s
}

// separable is the default of maps.
func separable(r merge.ElementRelationship) merge.ElementRelationship {
	if r == "" {
		return merge.Separable
	}
	return r
}
