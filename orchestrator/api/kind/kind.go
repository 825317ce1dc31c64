// Package kind is the vocabulary of the catalogue: what one kind of object is, as a value.
//
// The packages beside it (api/core, api/apps, ...) fill in one Kind each per file; api/all.go lists them; the apiserver derives its routes,
// discovery, OpenAPI, tables and write path from the list. Pure: no I/O, no goroutines, no clock of its own.
package kind

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Object is an API object with metadata: a pointer to one of k8s.io/api's types.
type Object interface {
	runtime.Object
	metav1.Object
}

// Kind is everything the apiserver knows of one kind. All functions work on the hub type: the Go type of the storage version.
type Kind struct {
	Names
	// Scope is where its objects live.
	Namespaced bool
	// Versions served, the preferred one first.
	Versions []Version
	// Storage says where and in which version objects are kept.
	Storage Storage
	// Verbs served on the resource: nil means AllVerbs.
	Verbs []string
	// Columns of kubectl get, Name and Age included.
	Columns []Column
	// Cells returns the row of one object, one value per column (int64, string, bool, nil).
	Cells func(obj Object, now time.Time) []any
	// Fields returns what a field selector may ask for besides metadata.name and metadata.namespace: nil for nothing more. The keys are the same for every object.
	Fields func(obj Object) fields.Set
	// Rules of writing, run in the order: Default, (admission), PrepareCreate, ValidateCreate; Default, (admission), PrepareUpdate, ValidateUpdate.
	Rules
	// Subresources with rules of their own, by name: status, scale, and the ones that a kind invents (finalize, approval, resize, ephemeralcontainers).
	Subresources map[string]Subresource
	// GracePeriod of a deletion, in seconds, for kinds that are deleted gracefully (Pod); nil for the others.
	// It sees the options' period (nil when not given) and returns the one to use; 0 deletes at once.
	GracePeriod func(obj Object, asked *int64) int64
	// Virtual kinds are answered at once and never stored: reviews. Storage, Rules and Columns are empty.
	Virtual bool
	// Held tells that more than finalizers keeps an object that is being deleted (a Namespace's spec.finalizers); nil holds nothing.
	Held func(obj Object) bool
	// Returned by deletions: their answer is the object that is gone, not a Status.
	Returned bool
	// PrepareDelete alters an object that is marked for deletion but stays for a while (a Namespace's phase); nil does nothing.
	PrepareDelete func(obj Object)
	// DefaultPropagation when the delete options are silent: empty means background.
	DefaultPropagation metav1.DeletionPropagation
}

// Names are how people and URLs call a kind.
type Names struct {
	Group string
	Kind  string
	// Resource is the plural in lower case.
	Resource   string
	Singular   string
	ShortNames []string
	Categories []string
}

// GroupResource of the kind.
func (n Names) GroupResource() schema.GroupResource {
	return schema.GroupResource{Group: n.Group, Resource: n.Resource}
}

// AllVerbs is what a resource with nothing special serves, in discovery's order.
var AllVerbs = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}

// Version is one served version of a kind.
type Version struct {
	// Name is v1, v2, ...
	Name string
	// New and NewList return empty objects of this version's Go types.
	New     func() Object
	NewList func() runtime.Object
	// Deprecated is the warning that every request for this version gets; empty for none.
	Deprecated string
	// ToHub and FromHub convert; both nil when this version's Go type is the hub type. They do not keep or alter their argument.
	ToHub   func(Object) (Object, error)
	FromHub func(Object) (Object, error)
}

// Storage is where a kind's objects are kept: stock's place, so that data survive a swap of apiservers.
type Storage struct {
	// Prefix of the keys below /registry/, without slashes at the ends: "pods", "services/specs". Keys are PREFIX/NAMESPACE/NAME or PREFIX/NAME.
	Prefix string
	// Version is the group and version written: not always a served one.
	Version schema.GroupVersion
	// New returns an empty object of the hub type.
	New func() Object
	// TTL after which an object disappears by itself (events): 0 for never.
	TTL time.Duration
}

// Column of a table.
type Column struct {
	Name string
	// Type is string, integer, number, boolean or date; Format is "name" for the first column.
	Type, Format, Description string
	// Priority 0 is always shown, 1 with -o wide.
	Priority int32
}

// Rules of writing an object. A nil rule does nothing.
type Rules struct {
	// Normalise brings an object that was just decoded, from a client or from storage, into its one canonical form: write-only fields are
	// merged, aliases and singular/plural pairs agree. It runs before Default.
	Normalise func(obj Object)
	// Default fills what the client left out. It also runs on objects read from storage that an older version wrote.
	Default func(obj Object)
	// PrepareCreate resets what clients may not set (status, usually).
	PrepareCreate func(ctx context.Context, obj Object)
	// ValidateCreate returns every fault with its field path. Metadata is validated by the caller, with ValidName.
	ValidateCreate func(ctx context.Context, obj Object) field.ErrorList
	// PrepareUpdate keeps from old what this write may not change. The caller has carried over the immutable metadata already.
	PrepareUpdate func(ctx context.Context, obj, old Object)
	// ValidateUpdate returns every fault of obj and of the change from old. The metadata's change is validated by the caller.
	ValidateUpdate func(ctx context.Context, obj, old Object) field.ErrorList
	// Warnings for the client, one line each.
	Warnings func(ctx context.Context, obj, old Object) []string
	// ValidName checks metadata.name (and generateName with prefix=true) and returns what is wrong with it. Nil means a DNS subdomain.
	ValidName func(name string, prefix bool) []string
	// Generation: whether obj differs from old in what metadata.generation counts. Nil for kinds that have no generation.
	Generation func(obj, old Object) bool
	// CreateOnUpdate lets PUT create (Lease, ...). UnconditionalUpdate lets PUT go without a resourceVersion.
	CreateOnUpdate, UnconditionalUpdate bool
	// Resets are the fields, as dotted paths, that a write by these rules cannot set, so that nobody comes to own them in managedFields.
	// Nil means what follows from a status subresource: status for the kind itself, spec for its status.
	Resets []string
}

// Subresource is a part of an object with a URL of its own.
type Subresource struct {
	// Version and Kind of its body when it is not the parent's: Scale, Eviction. Zero for status and its likes.
	Kind schema.GroupVersionKind
	// Verbs served: get, patch, update; or create.
	Verbs []string
	// Update rules, for subresources that are an update of the parent (status, finalize, resize, ...). Only PrepareUpdate, ValidateUpdate, Warnings and Default are used.
	Update *Rules
	// Scale, for the scale subresource.
	Scale *Scale
}

// Scale reads and writes the scale of a parent object.
type Scale struct {
	// Get returns desired and observed replicas and the selector in string form.
	Get func(parent Object) (spec, status int32, selector string)
	// Set changes the desired replicas.
	Set func(parent Object, spec int32)
}
