// Package schema is the one source of what the API types look like: OpenAPI definitions and the types of server-side apply.
//
// It puts together three things that exist anyway: Go reflection over the types of the catalogue, their SwaggerDoc descriptions, and
// facts.txt, which holds what only the markers in their sources tell (see generate). Nothing is built before somebody asks, and
// what is kept is only what answers the next question; the OpenAPI room (apiserver/openapi) encodes definitions once and drops them.
// Pure: no I/O, no goroutines. Fed by the catalogue; feeds apiserver/openapi and server-side apply.
package schema

//go:generate sh -c "cd generate && GOFLAGS=-mod=mod go run . > ../facts.txt.new && mv ../facts.txt.new ../facts.txt"

import (
	"fmt"
	"reflect"
	"sync"

	authenticationv1 "k8s.io/api/authentication/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Schemas knows the types of a catalogue. It is safe for concurrent use.
type Schemas struct {
	kinds map[schema.GroupVersionKind]reflect.Type

	mu sync.Mutex
	// merges are the finished answers of Type.
	merges map[schema.GroupVersionKind]typed.ParseableType
	// merging holds each struct type's part of them once, by definition name: kinds share most of their types.
	merging map[string]mergeType
}

// bodies are kinds of subresources' bodies, which the catalogue does not list as kinds of their own.
func bodies() map[schema.GroupVersionKind]reflect.Type {
	return map[schema.GroupVersionKind]reflect.Type{
		autoscalingv1.SchemeGroupVersion.WithKind("Scale"):           reflect.TypeFor[autoscalingv1.Scale](),
		policyv1.SchemeGroupVersion.WithKind("Eviction"):             reflect.TypeFor[policyv1.Eviction](),
		authenticationv1.SchemeGroupVersion.WithKind("TokenRequest"): reflect.TypeFor[authenticationv1.TokenRequest](),
	}
}

// New returns the schemas of the kinds; it reads nothing yet.
func New(kinds []kind.Kind) *Schemas {
	s := &Schemas{kinds: bodies(), merges: map[schema.GroupVersionKind]typed.ParseableType{}, merging: map[string]mergeType{}}
	for i := range kinds {
		for _, v := range kinds[i].Versions {
			gvk := schema.GroupVersionKind{Group: kinds[i].Group, Version: v.Name, Kind: kinds[i].Names.Kind}
			s.kinds[gvk] = reflect.TypeOf(v.New()).Elem()
		}
	}
	return s
}

// Type returns how objects of a kind are merged: which lists and maps are atomic, sets or keyed. It serves server-side apply and managedFields.
func (s *Schemas) Type(gvk schema.GroupVersionKind) (typed.ParseableType, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.merges[gvk]; ok {
		return found, nil
	}
	t, ok := s.kinds[gvk]
	if !ok {
		return typed.ParseableType{}, fmt.Errorf("no type of kind %s is served", gvk)
	}
	made, err := s.mergeOf(t)
	if err != nil {
		return typed.ParseableType{}, fmt.Errorf("find how to merge %s: %w", gvk, err)
	}
	s.merges[gvk] = made
	return made, nil
}
