package routes

import (
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

// sound is a load of a call every 10 ms for a second that two endpoints answer in turn; the fault is at 500 ms and may last for 200 ms.
func sound() []Call {
	var calls []Call
	for i := range 100 {
		calls = append(calls, Call{Begin: time.Duration(i) * 10 * ms, Took: ms, Who: []string{"a", "b"}[i%2]})
	}
	return calls
}

func lose(calls []Call, from, to int) {
	for i := from; i < to; i++ {
		calls[i] = Call{Begin: calls[i].Begin, Took: calls[i].Took, Error: "refused"}
	}
}

// TestJudgeKnowsBadLoads: each row alters the sound load and says what must be found; "" is nothing.
func TestJudgeKnowsBadLoads(t *testing.T) {
	for name, row := range map[string]struct {
		alter              func([]Call) []Call
		wrong, undecided   string
		lost               int
		lostFor, allowance time.Duration
	}{
		"sound":                           {func(c []Call) []Call { return c }, "", "", 0, 0, 200 * ms},
		"losses while they are allowed":   {func(c []Call) []Call { lose(c, 50, 70); return c }, "", "", 20, 190 * ms, 200 * ms},
		"losses from the very moment":     {func(c []Call) []Call { lose(c, 50, 51); return c }, "", "", 1, 0, 200 * ms},
		"a loss before the fault":         {func(c []Call) []Call { lose(c, 49, 60); return c }, "before the fault: 1 of 50", "", 10, 90 * ms, 200 * ms},
		"the fault hits a call under way": {func(c []Call) []Call { lose(c, 49, 50); c[49].Took = 10 * ms; return c }, "", "", 0, 0, 0},
		"a loss one call too late":        {func(c []Call) []Call { lose(c, 50, 71); return c }, "later than 200ms after the fault, the last 200ms after it: 1 of 30", "", 21, 200 * ms, 200 * ms},
		"losses that never end":           {func(c []Call) []Call { lose(c, 50, 100); return c }, "the last 490ms after it: 30 of 30", "", 50, 490 * ms, 200 * ms},
		"a single late loss":              {func(c []Call) []Call { lose(c, 99, 100); return c }, "1 x refused", "", 1, 0, 200 * ms},
		"any loss where none is allowed":  {func(c []Call) []Call { lose(c, 50, 51); return c }, "later than 0s after the fault", "", 1, 0, 0},
		"a load that ends with the fault": {func(c []Call) []Call { return c[:60] }, "", "50 requests were sent before the fault and 0 after", 0, 0, 200 * ms},
		"a load that begins with it":      {func(c []Call) []Call { return c[45:] }, "", "5 requests were sent before", 0, 0, 200 * ms},
		"no load":                         {func([]Call) []Call { return nil }, "", "0 requests were sent before", 0, 0, 200 * ms},
		"calls that ended out of order": {func(c []Call) []Call {
			lose(c, 50, 60)
			c[50], c[59] = c[59], c[50]
			return c
		}, "", "", 10, 90 * ms, 200 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			calls := row.alter(sound())
			v := Judge(calls, Fault{At: 500 * ms, Within: row.allowance, Enough: 20})
			all := strings.Join(v.Wrong, "\n")
			if (row.wrong == "") != (all == "") || !strings.Contains(all, row.wrong) {
				t.Errorf("wrong: want %q, got %q", row.wrong, all)
			}
			if (row.undecided == "") != (v.Inconclusive == "") || !strings.Contains(v.Inconclusive, row.undecided) {
				t.Errorf("inconclusive: want %q, got %q", row.undecided, v.Inconclusive)
			}
			if loss := Between(calls, 500*ms, End); loss.Lost != row.lost || loss.For() != row.lostFor {
				t.Errorf("want %d lost for %s, got %s", row.lost, row.lostFor, loss)
			}
		})
	}
}

func TestAClientMovesOnceAndStays(t *testing.T) {
	answered := func(who string, begin int) Call { return Call{Begin: time.Duration(begin) * ms, Who: who} }
	slowly := func(who string, begin, took int) Call {
		return Call{Begin: time.Duration(begin) * ms, Took: time.Duration(took) * ms, Who: who}
	}
	refused := func(begin int) Call { return Call{Begin: time.Duration(begin) * ms, Error: "refused"} }
	for name, row := range map[string]struct {
		calls        []Call
		other, wrong string
	}{
		"moves and stays":              {[]Call{answered("a", 1), answered("a", 2), answered("b", 11), answered("b", 12)}, "b", ""},
		"requests lost between":        {[]Call{answered("a", 1), refused(10), refused(11), answered("b", 12)}, "b", ""},
		"the old one answers a while":  {[]Call{answered("a", 1), answered("a", 10), answered("b", 12)}, "b", ""},
		"was never bound":              {[]Call{answered("a", 1), answered("b", 2), answered("b", 12)}, "b", "b answered 8ms before a was lost"},
		"is not bound afterwards":      {[]Call{answered("a", 1), answered("b", 11), answered("c", 12), answered("b", 13)}, "b", "c answered 2ms after a was lost, and b had"},
		"goes back":                    {[]Call{answered("a", 1), answered("b", 11), answered("a", 12)}, "b", "a answered 2ms after a was lost"},
		"is lost for good":             {[]Call{answered("a", 1), refused(11)}, "", "nobody answered after a was lost"},
		"the old one goes on":          {[]Call{answered("a", 1), answered("a", 11)}, "", "nobody answered after a was lost"},
		"two on the way at once":       {[]Call{answered("a", 1), slowly("b", 11, 3), answered("a", 12), answered("b", 15)}, "b", ""},
		"goes back after a slow one":   {[]Call{answered("a", 1), slowly("b", 11, 3), answered("a", 15)}, "b", "a answered 5ms after a was lost"},
		"to two others at once":        {[]Call{answered("a", 1), answered("b", 11), slowly("c", 11, 3)}, "b", "c answered 1ms after a was lost"},
		"calls that ended in disorder": {[]Call{answered("b", 12), answered("b", 11), answered("a", 1)}, "b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			other, wrong := Moved(row.calls, "a", 10*ms)
			all := strings.Join(wrong, "\n")
			if other != row.other || (row.wrong == "") != (all == "") || !strings.Contains(all, row.wrong) {
				t.Errorf("want %q and %q, got %q and %q", row.other, row.wrong, other, all)
			}
		})
	}
}

func TestMisroutedCallsAreFound(t *testing.T) {
	for name, row := range map[string]struct {
		alter func([]Call)
		want  Misrouted
	}{
		// Of sound's calls b answers those at 10, 30, 50 ... ms.
		"an endpoint that never left": {func([]Call) {}, Misrouted{Sent: 50, Wrong: 25, Last: 490 * ms}},
		"one that left at once":       {func(c []Call) { rename(c, 50, 100) }, Misrouted{Sent: 50}},
		"one that left late":          {func(c []Call) { rename(c, 54, 100) }, Misrouted{Sent: 50, Wrong: 2, Last: 30 * ms}},
		"one call of an old rule":     {func(c []Call) { rename(c, 50, 98) }, Misrouted{Sent: 50, Wrong: 1, Last: 490 * ms}},
		"a call that is lost":         {func(c []Call) { rename(c, 50, 100); lose(c, 60, 61) }, Misrouted{Sent: 50, Wrong: 1, Last: 100 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			calls := sound()
			row.alter(calls)
			if got := After(calls, Removal{Who: "b", At: 500 * ms, Until: time.Second}); got != row.want {
				t.Errorf("want %+v, got %+v", row.want, got)
			}
		})
	}
}

func rename(calls []Call, from, to int) {
	for i := from; i < to; i++ {
		calls[i].Who = "a"
	}
}

func TestSpread(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i)*ms)
	}
	for name, row := range map[string]struct {
		all  []time.Duration
		want Spread
	}{
		"none":           {nil, Spread{}},
		"one":            {[]time.Duration{5 * ms}, Spread{5 * ms, 5 * ms, 5 * ms}},
		"1 to 100":       {hundred, Spread{50 * ms, 99 * ms, 100 * ms}},
		"one outlier":    {append([]time.Duration{time.Second}, hundred[1:50]...), Spread{75 * ms, time.Second, time.Second}},
		"few have no 99": {[]time.Duration{ms, 2 * ms, 3 * ms}, Spread{2 * ms, 3 * ms, 3 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := SpreadOf(row.all); got != row.want {
				t.Errorf("want %s, got %s", row.want, got)
			}
		})
	}
}
