package kills

import (
	"slices"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// unproven are requirements that no null target and no mutant has made fail yet: none, and a new requirement brings its mutant with it.
var unproven []string

// TestEveryRequirementCanFail: a requirement whose spec never failed on anything proves nothing. Those of the profile api are proven by the null
// targets, to which the test of package null holds each of them; the others by the kept matrix.
func TestEveryRequirementCanFail(t *testing.T) {
	manifest, err := verdict.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	matrix, err := ReadMatrix(".")
	if err != nil {
		t.Fatal(err)
	}
	proven := matrix.Proven()
	for _, r := range manifest {
		can := r.Profile == "api" || proven[r.ID]
		switch listed := slices.Contains(unproven, r.ID); {
		case can && listed:
			t.Errorf("%s is proven: take it off the list", r.ID)
		case !can && !listed:
			t.Errorf("%s fails on no null target and no mutant: make one that it must catch", r.ID)
		}
	}
	for _, id := range unproven {
		if !slices.ContainsFunc(manifest, func(r verdict.Requirement) bool { return r.ID == id }) {
			t.Errorf("%s is on the list and no requirement", id)
		}
	}
	t.Logf("%d of %d requirements are proven, not yet: %s", len(manifest)-len(unproven), len(manifest), strings.Join(unproven, " "))
}
