// Package api is the profile of the API alone: objects, watches, errors. It needs no pods, so an implementer can start with it on day one.
package api

import (
	"github.com/onsi/ginkgo/v2"
)

// Declare tells Ginkgo the profile's specs.
func Declare() {
	ginkgo.Describe("api", ginkgo.Label("api"), func() {
		declareObjects()
	})
}
