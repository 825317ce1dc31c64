// Package ha is the profile of faults in the control plane and in the components of nodes: what was acknowledged is there afterwards, and
// service goes on meanwhile. It needs node control, and at least two control planes where one of them is killed.
package ha

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

// Declare tells Ginkgo the profile's specs.
func Declare() {
	ginkgo.Describe("ha", ginkgo.Label("ha", scene.NodeControl), func() {
		declareKills()
		declareLeaders()
		declareNodeComponents()
		declareControlPlanes()
		declareAllocations()
		declareEverything()
		declareQuorum()
		declareRestarts()
		declareDisk()
		declareSuccession()
	})
}
