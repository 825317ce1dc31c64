package scene

import (
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/history"
)

func TestALaneKeepsEveryCallThatWasNotAnsweredWell(t *testing.T) {
	for name, row := range map[string]struct{ good, bad, want int }{
		"few":         {10, 3, 13},
		"just enough": {laneCalls, 5, laneCalls + 5},
		"many":        {7*laneCalls + 1, 400, laneCalls + 400},
	} {
		t.Run(name, func(t *testing.T) {
			var calls []history.Call
			for range row.good {
				calls = append(calls, history.Call{Outcome: history.OK, Begin: time.Second, End: 2 * time.Second})
			}
			for range row.bad {
				calls = append(calls, history.Call{Outcome: history.Unknown})
			}
			l := lane(time.Unix(100, 0), "a", calls)
			bad := 0
			for _, c := range l.Calls {
				if c.Outcome != "ok" {
					bad++
				}
			}
			if len(l.Calls) != row.want || bad != row.bad {
				t.Errorf("%d calls, %d of them bad; want %d and %d", len(l.Calls), bad, row.want, row.bad)
			}
			if first := l.Calls[0]; first.At != time.Unix(101, 0) || first.Took != 1 {
				t.Errorf("first call %+v", first)
			}
		})
	}
}
