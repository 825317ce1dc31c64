package page

import (
	"fmt"
	"math"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// lane is a client's calls: a dot each, drawn out to a stroke by a call that took long.
type lane struct {
	Client              string
	Y                   int
	OK, Failed, Unknown dots
	// Thinned is how many calls that went well are not drawn.
	Thinned int
}

// dots are calls of one outcome, drawn by one path: thousands of elements would make a page slow.
type dots struct {
	N    int
	Path string
}

// The plot of a lane is so many units wide and stretched to whatever width there is; its dots lie so many pixels below its top.
const (
	laneUnits = 2000
	dotY      = 8
	// laneDots is how many calls that went well a lane shows at most.
	laneDots = 600
)

func laneOf(s scale, l verdict.Lane, y int) lane {
	drawn := lane{Client: l.Client, Y: y}
	by := map[string][]verdict.Call{}
	for _, c := range l.Calls {
		outcome := c.Outcome
		if outcome != "ok" && outcome != "unknown" { // what is not known to be good is shown as bad
			outcome = "failed"
		}
		by[outcome] = append(by[outcome], c)
	}
	good := by["ok"]
	drawn.OK = dotsOf(s, thinned(good))
	drawn.OK.N, drawn.Thinned = len(good), len(good)-len(thinned(good))
	drawn.Failed, drawn.Unknown = dotsOf(s, by["failed"]), dotsOf(s, by["unknown"])
	return drawn
}

// thinned are at most laneDots of the calls, evenly chosen.
func thinned(calls []verdict.Call) []verdict.Call {
	if len(calls) <= laneDots {
		return calls
	}
	few := make([]verdict.Call, laneDots)
	for i := range few {
		few[i] = calls[i*(len(calls)-1)/(laneDots-1)]
	}
	return few
}

// dotsOf draws calls. Those that would cover each other exactly are drawn once: nothing is lost to the eye.
func dotsOf(s scale, calls []verdict.Call) dots {
	drawn := dots{N: len(calls)}
	done := map[[2]int]bool{}
	var path strings.Builder
	for _, c := range calls {
		at := [2]int{int(math.Round(s.share(c.At) * laneUnits)), int(math.Round(c.Took / s.span.Seconds() * laneUnits))}
		if !done[at] {
			done[at] = true
			fmt.Fprintf(&path, "M%d %dh%d", at[0], dotY, at[1])
		}
	}
	drawn.Path = path.String()
	return drawn
}
