package api

import (
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// index is the catalogue by name, built once.
type index struct {
	byResource map[schema.GroupResource]*kind.Kind
	byKind     map[schema.GroupKind]*kind.Kind
}

var catalogue = sync.OnceValue(func() index {
	all := All()
	i := index{make(map[schema.GroupResource]*kind.Kind, len(all)), make(map[schema.GroupKind]*kind.Kind, len(all))}
	for at := range all {
		k := &all[at]
		i.byResource[k.GroupResource()] = k
		i.byKind[schema.GroupKind{Group: k.Group, Kind: k.Kind}] = k
	}
	return i
})

// ByResource returns the kind that a group serves under a plural name. It is shared: do not alter it.
func ByResource(group, resource string) (*kind.Kind, bool) {
	k, ok := catalogue().byResource[schema.GroupResource{Group: group, Resource: resource}]
	return k, ok
}

// ByKind returns the kind of a group by its name. It is shared: do not alter it.
func ByKind(group, name string) (*kind.Kind, bool) {
	k, ok := catalogue().byKind[schema.GroupKind{Group: group, Kind: name}]
	return k, ok
}
