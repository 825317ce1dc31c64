package scene

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/history/routes"
)

// asking narrows a clock by a question that was under way for a while, and was answered at any moment of it.
func asking(c *clock, rnd *rand.Rand, origin, asked time.Time) {
	way := time.Duration(rnd.Int64N(int64(20 * time.Millisecond)))
	c.narrow(asked, asked.Add(way), asked.Add(time.Duration(rnd.Int64N(int64(way)+1))).Sub(origin))
}

func TestAMomentLiesBetweenItsEarliestAndItsLatest(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		origin := time.Now()
		c := clock{from: origin.Add(-time.Second), till: origin.Add(time.Second)}
		moment := origin.Add(time.Minute)
		earliest, latest := c.Earliest(moment), c.Latest(moment)
		for i := range 50 {
			asking(&c, rnd, origin, origin.Add(time.Duration(i)*time.Second))
			if c.Earliest(moment) < earliest || c.Latest(moment) > latest {
				t.Fatalf("a question widened [%s, %s] to [%s, %s]", earliest, latest, c.Earliest(moment), c.Latest(moment))
			}
			earliest, latest = c.Earliest(moment), c.Latest(moment)
			if earliest > time.Minute || latest < time.Minute {
				t.Fatalf("a minute is not in [%s, %s]", earliest, latest)
			}
		}
		if at := c.At(moment); at-c.Unsure() < earliest-1 || at+c.Unsure() > latest+1 {
			t.Fatalf("%s give or take %s is not [%s, %s]", at, c.Unsure(), earliest, latest)
		}
	}
}

// Whoever waits for a number of calls before and after a fault, and then learns more of the clock, is not told by the judge that it was one short.
func TestCallsThatWereCountedCountForTheJudge(t *testing.T) {
	const pace, enough, within = 10 * time.Millisecond, 20, 100 * time.Millisecond
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		origin := time.Now()
		c := clock{from: origin.Add(-time.Second), till: origin.Add(time.Second)}
		asking(&c, rnd, origin, origin)
		var calls []routes.Call
		now := origin
		call := func() {
			calls = append(calls, routes.Call{Begin: now.Sub(origin), Took: time.Millisecond})
			now = now.Add(pace)
		}
		for len(routes.Ended(calls, c.Earliest(now))) < enough {
			call()
		}
		fault := now
		for routes.Between(calls, c.Latest(fault.Add(within)), routes.End).Sent < enough {
			call()
		}
		for range 3 {
			asking(&c, rnd, origin, now)
		}
		f := routes.Fault{At: c.Earliest(fault), Within: c.Latest(fault.Add(within)) - c.Earliest(fault), Enough: enough}
		if v := routes.Judge(calls, f); v.Inconclusive != "" {
			t.Fatal(v.Inconclusive)
		}
	}
}
