package check

import (
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// A run that lost what proves a pass on the way says so at once, and not only who verifies it.
func TestAPassWithoutItsProofIsInconclusive(t *testing.T) {
	for id, want := range map[string]verdict.Outcome{"API-001": verdict.Passed, "HA-009": verdict.Inconclusive} {
		r, ok := resultOf(types.SpecReport{State: types.SpecStatePassed, LeafNodeLabels: []string{id}})
		if !ok || r.Outcome != want || (want == verdict.Inconclusive) != strings.Contains(r.Message, `of 3 faults "kill node" 0 are in the timeline`) {
			t.Errorf("%s: %t, %s: %s", id, ok, r.Outcome, r.Message)
		}
	}
}
