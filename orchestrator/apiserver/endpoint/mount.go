package endpoint

import (
	"net/http"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Mount is a handler for what is not a stored object or a part of one: pods/log, pods/exec, serviceaccounts/token, reviews, ...
// The table of routes takes it in place of Serve. The request's Info and User are in the context.
type Mount struct {
	Resource schema.GroupResource
	// Subresource is empty for a whole resource (TokenReview).
	Subresource string
	Handler     http.Handler
}

// Body is what a mounted handler may be sent.
type Body struct {
	GVK  schema.GroupVersionKind
	Into runtime.Object
	// Then is called when the body was this one; nil does nothing.
	Then func()
}

// DecodeBody reads the request's body as one of the given kinds, the first if it does not say, as strictly as the verbs read objects.
func DecodeBody(w http.ResponseWriter, r *http.Request, bodies ...Body) error {
	c := &call{w: w, r: r}
	data, media, err := c.readBody()
	if err != nil {
		return err
	}
	chosen := bodies[0]
	if len(bodies) > 1 {
		said := saidKind(data, media, chosen.GVK)
		for _, b := range bodies[1:] {
			if b.GVK == said {
				chosen = b
			}
		}
	}
	if err := c.decode(data, media, chosen.Into, chosen.GVK); err != nil {
		return err
	}
	if chosen.Then != nil {
		chosen.Then()
	}
	return nil
}

// saidKind is the kind that a body says it is, or the one that it is taken for.
func saidKind(data []byte, media string, otherwise schema.GroupVersionKind) schema.GroupVersionKind {
	codec, err := codecOf(media)
	if err != nil {
		return otherwise
	}
	if _, said, _ := codec.Decode(data, &otherwise, nil); said != nil {
		return *said
	}
	return otherwise
}
