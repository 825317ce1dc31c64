package check

import (
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

func TestARerunRunsExactlyWhatDidNotPass(t *testing.T) {
	earlier := []verdict.Result{{ID: "A-2", Outcome: verdict.Failed}, {ID: "A-3", Outcome: verdict.Missing}}
	r := Run{Rerun: &record.Rerun{}, Earlier: earlier}
	ids, err := r.selection(nil, []verdict.Requirement{{ID: "A-1"}, {ID: "A-2"}, {ID: "A-3"}})
	if err != nil || len(ids) != 2 || ids[0] != "A-2" || ids[1] != "A-3" {
		t.Errorf("%v, %v", ids, err)
	}
	results := again(earlier, []verdict.Result{{ID: "A-3", Outcome: verdict.Passed}})
	if len(results) != 2 || results[0].Outcome != verdict.Missing || !results[0].Flaky() {
		t.Errorf("what ran again: %+v", results)
	}
	if lost := results[1]; lost.ID != "A-2" || lost.Outcome != verdict.Failed || lost.Last() != verdict.Missing {
		t.Errorf("what did not run again: %+v", lost)
	}
}
