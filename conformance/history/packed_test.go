package history

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAPackedHistoryThatPointsNowhereIsRefused(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"a call's word":       {`{"words":["a"],"calls":[[0,0,0,1,0,0,0,0,0,0,0]]}`, "call 0: word 1 of 1"},
		"an event's word":     {`{"words":["a"],"events":[[0,-1,7]]}`, "event 0: word -1 of 1"},
		"an event of a watch": {`{"words":["a"],"events":[[0,0,7]],"watches":[{"client":"x","saw":[[0,1]]}]}`, "the watch through x saw events [0 1] of 1"},
		"a row backwards":     {`{"words":["a"],"events":[[0,0,7]],"watches":[{"client":"x","saw":[[1,0]]}]}`, "the watch through x saw events [1 0] of 1"},
		"no history":          {`[]`, "cannot unmarshal array"},
	} {
		t.Run(name, func(t *testing.T) {
			var h History
			if err := json.Unmarshal([]byte(row.text), &h); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
