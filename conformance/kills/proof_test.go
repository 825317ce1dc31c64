package kills

import (
	"slices"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// unproven are requirements that no null target and no mutant has made fail yet. The list may only shrink.
var unproven = strings.Fields(`
	WORK-001 WORK-002 WORK-003 WORK-004 WORK-005 WORK-006 WORK-007 WORK-008 WORK-009
	NODE-001 NODE-002 NODE-003 NODE-004 NODE-005 NODE-006 NODE-007 NODE-008 NODE-009 NODE-010 NODE-011 NODE-012 NODE-013
	NODE-014 NODE-015 NODE-016 NODE-017 NODE-018 NODE-019 NODE-020 NODE-021 NODE-022 NODE-023 NODE-024 NODE-025 NODE-026
	NODE-027 NODE-028 NODE-029
	ROUTE-001 ROUTE-002 ROUTE-003 ROUTE-004 ROUTE-005 ROUTE-006 ROUTE-007 ROUTE-008 ROUTE-009
	ROUTE-010 ROUTE-011 ROUTE-012 ROUTE-013 ROUTE-014 ROUTE-015 ROUTE-016
	SCHED-001 SCHED-002 SCHED-003 SCHED-004 SCHED-005 SCHED-006 SCHED-007 SCHED-008 SCHED-009
	HA-001 HA-002 HA-003 HA-004 HA-005 HA-006 HA-007 HA-008 HA-009 HA-010 HA-011
	HA-014 HA-015 HA-018 HA-019 HA-020 HA-021
	RESCHED-001 RESCHED-002 RESCHED-003 RESCHED-004 RESCHED-005 RESCHED-006 RESCHED-007 RESCHED-008 RESCHED-010
`)

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
