// Package specs lists every profile of the suite: one folder each, whose Declare tells Ginkgo its specs.
//
// check declares them all and narrows the run by requirement IDs. A spec carries its ID as a label; verdict's manifest holds the sentence.
package specs

import (
	"github.com/plumb-k8s/plumb/conformance/specs/api"
	"github.com/plumb-k8s/plumb/conformance/specs/ha"
	"github.com/plumb-k8s/plumb/conformance/specs/node"
	"github.com/plumb-k8s/plumb/conformance/specs/rescheduling"
	"github.com/plumb-k8s/plumb/conformance/specs/routing"
	"github.com/plumb-k8s/plumb/conformance/specs/scheduling"
	"github.com/plumb-k8s/plumb/conformance/specs/workloads"
)

// Profile is a family of requirements.
type Profile struct {
	Name    string
	Declare func()
}

// All profiles, in the order in which they run.
func All() []Profile {
	return []Profile{
		{"api", api.Declare},
		{"workloads", workloads.Declare},
		{"node", node.Declare},
		{"routing", routing.Declare},
		{"scheduling", scheduling.Declare},
		{"ha", ha.Declare},
		{"rescheduling", rescheduling.Declare},
	}
}

// Declare tells Ginkgo every spec.
func Declare() {
	for _, p := range All() {
		p.Declare()
	}
}
