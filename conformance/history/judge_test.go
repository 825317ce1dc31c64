package history

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The short forms of the histories below. Times are in milliseconds.
func call(client string, op Op, value string, version int64, begin, end int) Call {
	return Call{Client: client, Phase: "before", Op: op, Key: "r", Value: value, Version: version, Outcome: OK,
		Begin: time.Duration(begin) * time.Millisecond, End: time.Duration(end) * time.Millisecond}
}

func (c Call) but(f func(*Call)) Call { f(&c); return c }

func unknown(c *Call) { c.Outcome, c.Version = Unknown, 0 }

func at(version int64) func(*Call) { return func(c *Call) { c.Op, c.At = GetAt, version } }

func event(value string, version int64) Event { return Event{Key: "r", Value: value, Version: version} }

// sound is a history without fault: two writes, a read after each, two watches.
func sound() History {
	return History{
		Calls: []Call{
			call("a", Create, "1", 11, 0, 10), call("b", Get, "1", 11, 20, 30),
			call("b", Put, "2", 12, 40, 50), call("a", Get, "2", 12, 60, 70), call("a", Get, "2", 12, 60, 70).but(at(12)),
		},
		Watches: []Watch{
			{Client: "a", From: 10, Events: []Event{event("1", 11), event("2", 12)}},
			{Client: "b", From: 10, Events: []Event{event("1", 11), event("2", 12)}},
		},
		Final: map[string]Stored{"r": {"2", 12}},
		End:   12,
	}
}

// TestJudgesKnowBadHistories: each row alters the sound history, and names what the judges must say; "" is nothing.
func TestJudgesKnowBadHistories(t *testing.T) {
	for name, row := range map[string]struct {
		alter func(*History)
		want  string
	}{
		"sound":                           {func(*History) {}, ""},
		"an acknowledged write is lost":   {func(h *History) { delete(h.Final, "r") }, "not stored"},
		"a store went back":               {func(h *History) { h.Final["r"] = Stored{"1", 11} }, "stored at the older 11"},
		"a value changed by itself":       {func(h *History) { h.Final["r"] = Stored{"1", 12} }, `acknowledged to b with value "2" and is stored with "1"`},
		"an object from nowhere":          {func(h *History) { h.Final["x"] = Stored{"9", 12} }, "which nobody wrote"},
		"a stale read":                    {func(h *History) { h.Calls[3].Value = "1" }, "no order of its"},
		"a read of what is not yet there": {func(h *History) { h.Calls[1].Value = "2" }, "no order of its"},
		"a read of nothing":               {func(h *History) { h.Calls[1].Value = "" }, "no order of its"},
		"two reads in different orders": {func(h *History) {
			h.Calls = []Call{call("a", Put, "1", 11, 0, 90), call("b", Put, "2", 12, 0, 90),
				call("c", Get, "1", 11, 100, 110), call("d", Get, "2", 12, 120, 130)}
		}, "no order of its"},
		"a write of unknown outcome may show": {func(h *History) {
			h.Calls[2] = h.Calls[2].but(unknown)
		}, ""},
		"a write of unknown outcome may not show": {func(h *History) {
			h.Calls = append(h.Calls, call("c", Put, "3", 0, 45, 55).but(unknown))
		}, ""},
		"a write of unknown outcome may show late": {func(h *History) {
			h.Calls = append(h.Calls, call("c", Put, "3", 0, 15, 18).but(unknown), call("a", Get, "3", 13, 80, 90))
			h.Final["r"], h.End = Stored{"3", 13}, 12
		}, ""},
		"a write of unknown outcome that shows and goes": {func(h *History) {
			h.Calls = append(h.Calls, call("c", Put, "3", 0, 15, 18).but(unknown), call("a", Get, "3", 13, 80, 90), call("a", Get, "2", 12, 95, 99))
		}, "no order of its"},
		"a failed write that shows": {func(h *History) {
			h.Calls[2].Outcome = Failed
			h.Calls = h.Calls[:4]
		}, "no order of its"},
		"a read at a version that is older": {func(h *History) { h.Calls[4].Version = 11 }, "asked for r at version 12 or later and got version 11"},
		"a read at a version finds nothing": {func(h *History) { h.Calls[4].Version = 0 }, "got version 0"},
		"a read at a version may be newer":  {func(h *History) { h.Calls[4].At = 11 }, ""},
		"a watch misses an event":           {func(h *History) { h.Watches[0].Events = h.Watches[0].Events[:1] }, "through a missed 1 events, the first of version 12"},
		"a watch sees an event twice":       {func(h *History) { w := &h.Watches[1]; w.Events = append(w.Events, w.Events[1]) }, "through b saw version 12 after 12"},
		"a watch goes back":                 {func(h *History) { e := h.Watches[0].Events; e[0], e[1] = e[1], e[0] }, "through a saw version 11 after 12"},
		"a watch begins before its version": {func(h *History) { h.Watches[0].From = 11 }, "through a saw version 11 after 11"},
		"a watch shows another value":       {func(h *History) { h.Watches[0].Events[1].Value = "1" }, `saw version 12 as r="1", others r="2"`},
		"a watch shows what nobody wrote":   {func(h *History) { w := &h.Watches[0]; w.Events = append(w.Events, event("9", 13)) }, `saw r="9", which nobody wrote`},
		"only one watch sees an open write": {func(h *History) { h.Calls[2] = h.Calls[2].but(unknown); h.Watches[0].Events = h.Watches[0].Events[:1] }, "through a missed 1 events"},
		"a watch is told 410":               {func(h *History) { h.Watches[0].Gaps = []Gap{{11, 12}} }, "told that version 11 is too old"},
		"a restarted apiserver may say 410": {func(h *History) { h.Watches[1].Events, h.Watches[1].Gaps = h.Watches[1].Events[:1], []Gap{{11, 12}} }, ""},
		"a gap explains nothing outside it": {func(h *History) { h.Watches[1].Events, h.Watches[1].Gaps = nil, []Gap{{11, 12}} }, "through b missed 1 events, the first of version 11"},
	} {
		t.Run(name, func(t *testing.T) {
			h := sound()
			row.alter(&h)
			v := Judge(h, Enough{}, 10*time.Second, "b")
			all := strings.Join(v.Wrong, "\n")
			if v.Inconclusive != "" || (row.want == "") != (all == "") || !strings.Contains(all, row.want) {
				t.Errorf("want %q, got %q (%s)", row.want, all, v.Inconclusive)
			}
		})
	}
}

func TestTooLittleLoadIsInconclusive(t *testing.T) {
	for name, row := range map[string]struct {
		enough Enough
		want   string
	}{
		"enough":        {Enough{Acknowledged: map[string]int{"before": 2}, Attempted: map[string]int{"before": 5}}, ""},
		"few writes":    {Enough{Acknowledged: map[string]int{"before": 3}}, `only 2 of 3 writes were acknowledged in phase "before"`},
		"few attempts":  {Enough{Attempted: map[string]int{"before": 6}}, `only 5 of 6 calls were made in phase "before"`},
		"no such phase": {Enough{Attempted: map[string]int{"during": 1}}, `only 0 of 1 calls were made in phase "during"`},
	} {
		t.Run(name, func(t *testing.T) {
			if v := Judge(sound(), row.enough, time.Second); v.Inconclusive != row.want {
				t.Errorf("want %q, got %q", row.want, v.Inconclusive)
			}
		})
	}
}

// TestAVerdictIsComputedAgainFromWhatIsKept: what leaves as JSON comes back whole, and is judged alike.
func TestAVerdictIsComputedAgainFromWhatIsKept(t *testing.T) {
	h := sound()
	h.Watches[1].Events, h.Watches[1].Gaps = h.Watches[1].Events[:1], []Gap{{11, 12}}
	h.Calls[4].Version = 11
	h.Calls = append(h.Calls, call("c", Put, "3", 0, 45, 55).but(unknown), call("c", Put, "4", 0, 45, 55).but(func(c *Call) { c.Outcome, c.Error = Failed, "refused" }))
	kept := Case{History: h, Enough: Enough{Acknowledged: map[string]int{"before": 3}}, MayExpire: []string{"b"}}
	text, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	var read Case
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(kept, read) {
		t.Errorf("kept\n%+v\nread\n%+v", kept, read)
	}
	was, is := kept.Judge(time.Second), read.Judge(time.Second)
	if len(was.Wrong) != 1 || was.Inconclusive == "" || !reflect.DeepEqual(was, is) {
		t.Errorf("was %+v, is %+v", was, is)
	}
}

func TestWhatIsNotDecidedIsInconclusive(t *testing.T) {
	h := sound()
	for i := range 24 { // writes at the same time, and a read that none of their orders explains: every order has to be tried
		h.Calls = append(h.Calls, call(fmt.Sprint("w", i), Put, fmt.Sprint("v", i), int64(100+i), 100, 200))
	}
	h.Calls = append(h.Calls, call("a", Get, "v0", 100, 110, 190), call("b", Get, "v1", 100, 201, 202), call("b", Get, "v2", 100, 203, 204))
	if v := (Case{History: h}).Judge(time.Millisecond); v.Inconclusive != "linearizability was not decided within 1ms" {
		t.Errorf("got %+v", v)
	}
}
