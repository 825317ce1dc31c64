// Package fields tracks who set which field of an object (metadata.managedFields) and merges what is applied server-side.
//
// The rules are those of structured-merge-diff; this package connects them with the catalogue: which type a kind has, how its versions
// convert, which fields a write may not set. It is fed by endpoint (every write and every apply) and by objects (what the apiserver writes
// itself). Pure: it works on objects in memory and knows neither HTTP nor the store.
package fields

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Tracker keeps one manager of fields for each kind, version and subresource that was written to. It is safe for concurrent use.
type Tracker struct {
	types    Types
	versions *versions
	sets     sets

	mu       sync.RWMutex
	managers map[place]*managedfields.FieldManager
	// filters of targets that were written to; nil ones too.
	filters map[place]fieldpath.Filter
}

// place is what one manager is for.
type place struct {
	gvk         schema.GroupVersionKind
	subresource string
}

// New returns a tracker of the kinds, whose types are known.
func New(kinds []*kind.Kind, types Types) *Tracker {
	return &Tracker{types: types, versions: newVersions(kinds), managers: map[place]*managedfields.FieldManager{}, filters: map[place]fieldpath.Filter{}}
}

// Target is what a write addresses.
type Target struct {
	Kind        *kind.Kind
	Version     *kind.Version
	Subresource string
}

func (t Target) gvk() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: t.Kind.Group, Version: t.Version.Name, Kind: t.Kind.Names.Kind}
}

// manager of a target, made when it is first needed.
func (t *Tracker) manager(target Target) (*managedfields.FieldManager, error) {
	return t.managerOf(place{target.gvk(), target.Subresource}, func() map[fieldpath.APIVersion]fieldpath.Filter { return resets(target) })
}

func (t *Tracker) managerOf(at place, resets func() map[fieldpath.APIVersion]fieldpath.Filter) (*managedfields.FieldManager, error) {
	t.mu.RLock()
	m := t.managers[at]
	t.mu.RUnlock()
	if m != nil {
		return m, nil
	}
	hub := schema.GroupVersion{Group: at.gvk.Group, Version: runtime.APIVersionInternal}
	m, err := managedfields.NewDefaultFieldManager(typer{t.types}, t.versions, undefaulted{}, t.versions, at.gvk, hub, at.subresource, resets())
	if err != nil {
		return nil, fmt.Errorf("manage fields of %s %s: %w", at.gvk, at.subresource, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.managers[at] = m
	return m, nil
}

// filter of the fields that a write to the target can set; nil lets everything pass.
func (t *Tracker) filter(target Target) fieldpath.Filter {
	at := place{target.gvk(), target.Subresource}
	t.mu.RLock()
	f, ok := t.filters[at]
	t.mu.RUnlock()
	if ok {
		return f
	}
	f = resets(target)[fieldpath.APIVersion(at.gvk.GroupVersion().String())]
	t.mu.Lock()
	defer t.mu.Unlock()
	t.filters[at] = f
	return f
}

// undefaulted: what is merged here goes the way of every write afterwards, which sets the defaults.
type undefaulted struct{}

func (undefaulted) Default(runtime.Object) {}
