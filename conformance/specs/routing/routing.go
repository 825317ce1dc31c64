// Package routing is the profile of Services: whoever dials one reaches a ready pod behind it, by address, name or node port, also while pods, nodes and
// what routes to them are lost. That part needs node control and two workers.
package routing

import (
	"github.com/onsi/ginkgo/v2"
)

// Declare tells Ginkgo the profile's specs.
func Declare() {
	ginkgo.Describe("routing", ginkgo.Label("routing"), func() {
		declareAddresses()
		declareEndpoints()
		declareLost()
		declareRollout()
		declareInfrastructure()
		declareRemoval()
	})
}
