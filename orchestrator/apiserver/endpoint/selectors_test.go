package endpoint

import (
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

func TestUnknownFieldsAreRefusedInTheWordsOfTheirGroup(t *testing.T) {
	const only = `"x" is not a known field selector: only "metadata.name", "metadata.namespace"`
	for _, c := range []struct {
		name  string
		names kind.Names
		more  bool
		want  string
	}{
		{"pods", kind.Names{Kind: "Pod"}, true, "field label not supported: x"},
		{"configmaps", kind.Names{Kind: "ConfigMap"}, false, only},
		{"replicasets", kind.Names{Group: "apps", Kind: "ReplicaSet"}, true, only},
		{"jobs", kind.Names{Group: "batch", Kind: "Job"}, true, `field label "x" not supported for Job`},
	} {
		if got := unknownField(c.names, c.more, "x"); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}
