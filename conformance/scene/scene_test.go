package scene

import "testing"

// On a cluster that restricts pods by default the specs' own would be refused.
func TestAStageAllowsWhatSpecsNeed(t *testing.T) {
	labels := stageLabels("HA-001")
	if labels["plumb.io/spec"] != "HA-001" || labels["pod-security.kubernetes.io/enforce"] != "privileged" {
		t.Errorf("%v", labels)
	}
}
