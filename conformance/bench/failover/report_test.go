package failover

import (
	"strings"
	"testing"
)

func TestTheWorstRoundDecides(t *testing.T) {
	const paused = "lease holder's node paused"
	r := &Report{Sides: []string{"ours", "peer"}, Rounds: []Round{
		{Case: paused, Side: "ours", EveryWriter: 0.5, Placed: 2}, {Case: paused, Side: "ours", EveryWriter: 1.5, Placed: 2.5},
		{Case: paused, Side: "ours", EveryWriter: 0.7, Placed: 2.9}, {Case: paused, Side: "peer", EveryWriter: 2, Placed: 19},
	}}
	rows := r.Rows()
	if len(rows) != len(figures) {
		t.Fatalf("%d rows, want one for each figure of the case that was measured", len(rows))
	}
	writes, placed := rows[0], rows[3]
	if writes.Median["ours"] != 0.7 || writes.Worst["ours"] != 1.5 || *writes.Met {
		t.Errorf("writes: %+v", writes)
	}
	if placed.Worst["peer"] != 19 || !*placed.Met {
		t.Errorf("placed: %+v", placed)
	}
	var table strings.Builder
	if err := r.Print(&table); err != nil || !strings.Contains(table.String(), "MISSED") {
		t.Errorf("%v\n%s", err, table.String())
	}
}
