package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"
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
				if slices.Contains(all, declared{id, true}) {
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
