package kind

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// StatusKept is the status subresource of a kind of which status writes change the status and nothing of the spec.
// resets are the fields that they cannot set, when it is more than the spec.
func StatusKept[T Object](keepSpec func(obj, old T), resets ...string) Subresource {
	return Status(Typed[T]{PrepareUpdate: func(_ context.Context, obj, old T) { keepSpec(obj, old) }, Resets: resets}.Rules())
}

// Review is a kind that is answered at once and never stored.
func Review(names Names, namespaced bool, version schema.GroupVersion, object Object) Kind {
	names.Group = version.Group
	return Kind{
		Names:      names,
		Namespaced: namespaced,
		Virtual:    true,
		Verbs:      []string{"create"},
		Versions:   []Version{Served(version.Version, object, object)},
	}
}
