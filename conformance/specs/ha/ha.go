// Package ha is the profile of faults in the control plane: what was acknowledged is there afterwards. It needs node control.
package ha

import (
	"github.com/onsi/ginkgo/v2"
)

// Declare tells Ginkgo the profile's specs.
func Declare() {
	ginkgo.Describe("ha", ginkgo.Label("ha"), func() {
		declareKills()
	})
}
