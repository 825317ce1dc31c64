package endpoint

import (
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// serveSubresource answers for the parts of an object: status and its likes are updates by rules of their own, scale is a view of replicas.
func (c *call) serveSubresource() error {
	sub, ok := c.kind.Subresources[c.info.Subresource]
	if !ok {
		return apierrors.NewNotFound(c.kind.GroupResource(), c.info.Name)
	}
	if !slices.Contains(sub.Verbs, c.info.Verb) {
		return MethodNotAllowed(c.r)
	}
	if sub.Scale != nil {
		return c.serveScale(sub.Scale)
	}
	switch c.info.Verb {
	case "get":
		return c.get()
	case "update":
		return c.update()
	case "patch":
		return c.patch()
	}
	return MethodNotAllowed(c.r)
}
