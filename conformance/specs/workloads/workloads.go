// Package workloads is the profile of the controllers that keep sets of pods: Deployment, ReplicaSet, DaemonSet, and what owns and protects pods.
package workloads

import (
	"github.com/onsi/ginkgo/v2"
)

// Declare tells Ginkgo the profile's specs.
func Declare() {
	ginkgo.Describe("workloads", ginkgo.Label("workloads"), func() {
		declareDeployments()
		declareReplicaSets()
		declareDaemonSets()
		declareOwnership()
		declareDisruption()
	})
}
