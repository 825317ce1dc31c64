// Package rescheduling is the profile of pods that lose their node: they come back elsewhere, and only once. It needs node control and two
// workers.
package rescheduling

import (
	"github.com/onsi/ginkgo/v2"
)

// Declare tells Ginkgo the profile's specs.
func Declare() {
	ginkgo.Describe("rescheduling", ginkgo.Label("rescheduling"), func() {
		declareLostWorker()
		declareDrain()
		declareMoved()
		declareReturned()
		declarePreempted()
		declareTaints()
	})
}
