// Package routing is the profile of Services: whoever dials one reaches a ready pod behind it, by address, name or node port.
package routing

import (
	"github.com/onsi/ginkgo/v2"
)

// Declare tells Ginkgo the profile's specs.
func Declare() {
	ginkgo.Describe("routing", ginkgo.Label("routing"), func() {
		declareAddresses()
		declareEndpoints()
	})
}
