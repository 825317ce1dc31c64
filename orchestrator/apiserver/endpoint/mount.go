package endpoint

import (
	"net/http"

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
