package leadership

import (
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

func TestExplain(t *testing.T) {
	start := time.Unix(10000, 0)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	mark := func(seconds int, kind verdict.Kind) verdict.Mark {
		return verdict.Mark{At: at(seconds), Kind: kind, Subject: "kill node"}
	}
	results := []verdict.Result{
		{ID: "API-001", Began: at(0), Seconds: 500},
		{ID: "HA-001", Began: at(100), Seconds: 30, Timeline: &verdict.Timeline{Marks: []verdict.Mark{mark(110, verdict.Injected), mark(120, verdict.Healed)}}},
		{ID: "HA-002", Began: at(150), Seconds: 10, Timeline: &verdict.Timeline{Marks: []verdict.Mark{mark(155, verdict.Phase)}}},
		{ID: "HA-003", Began: at(160), Seconds: 10, Timeline: &verdict.Timeline{Marks: []verdict.Mark{mark(165, verdict.Injected)}}},
	}
	for _, row := range []struct {
		name    string
		at      int
		because string
	}{
		{"while other specs ran", 50, ""},
		{"in the spec, before its fault", 105, ""},
		{"in the fault", 111, "HA-001"},
		{"in the aftermath", 157, "HA-001"},
		{"in the aftermath and in a later fault", 166, "HA-003"},
		{"after the aftermath", 231, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			told := Explain(Leases, []verdict.LeaderChange{{At: at(row.at), Subject: "kube-scheduler"}}, results)
			if told.Changes[0].Because != row.because || (told.Unexplained == 1) != (row.because == "") {
				t.Errorf("%+v, want it because of %q", told, row.because)
			}
		})
	}
}
