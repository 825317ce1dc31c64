package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

func TestPartsDealOutEverythingOnce(t *testing.T) {
	var all []declared
	var ids []string
	for i := range 23 {
		d := declared{id: fmt.Sprintf("A-%03d", i), serial: i%3 == 0}
		all, ids = append(all, d), append(ids, d.id)
	}
	ids = append(ids, "A-undeclared")
	for of := 1; of <= 5; of++ {
		var dealt []string
		for i := 1; i <= of; i++ {
			mine := Part{i, of}.of(all, ids)
			serial := 0
			for _, id := range mine {
				if slices.Contains(all, declared{id: id, serial: true}) {
					serial++
				}
			}
			if share := 8 / of; serial < share || serial > share+1 {
				t.Errorf("part %d/%d has %d of 8 serial ones", i, of, serial)
			}
			dealt = append(dealt, mine...)
		}
		slices.Sort(dealt)
		if !slices.Equal(dealt, ids) {
			t.Errorf("%d parts deal out %v", of, dealt)
		}
	}
}

func TestParsePart(t *testing.T) {
	for text, want := range map[string]Part{"": {}, "1/1": {1, 1}, "2/3": {2, 3}} {
		if got, err := ParsePart(text); err != nil || got != want || got.String() != text {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"0/3", "4/3", "1", "1/", "a/b", "1/2/3", "-1/2"} {
		if _, err := ParsePart(text); err == nil || !strings.HasPrefix(err.Error(), "--shard "+text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// bareTarget has no control over its nodes, or some.
type bareTarget struct {
	cluster.Cluster
	control cluster.Control
}

func (t bareTarget) Control() cluster.Control { return t.control }

func TestWhatBreaksNodesIsRefusedWithoutControl(t *testing.T) {
	all := []declared{{id: "A-001"}, {id: "A-002", breaks: true}, {id: "A-003", breaks: true}}
	for name, row := range map[string]struct {
		control cluster.Control
		ids     []string
		want    string
	}{
		"some need it":       {nil, []string{"A-001", "A-002"}, "1 of 2 requirements break nodes (A-002): give --node-control"},
		"none of those does": {nil, []string{"A-001"}, ""},
		"it is given":        {cluster.Unsupported{}, []string{"A-001", "A-002", "A-003"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&Run{Target: bareTarget{control: row.control}}).controlled(all, row.ids)
			if (err == nil) != (row.want == "") || err != nil && (!errors.Is(err, ErrNoControl) || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("want %q, have %v", row.want, err)
			}
		})
	}
}

func TestEverySpecOfTheProfileHaBreaksNodes(t *testing.T) {
	all, err := preview()
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	for _, d := range all {
		if d.breaks {
			marked++
		}
		if strings.HasPrefix(d.id, "HA-") && !d.breaks {
			t.Errorf("%s is not marked", d.id)
		}
	}
	if marked == len(all) {
		t.Error("all are marked")
	}
}
