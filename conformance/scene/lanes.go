package scene

import (
	"maps"
	"slices"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// laneCalls is how many calls that went well a lane of the timeline shows: as many as can be told apart on a screen.
const laneCalls = 300

// Lanes puts the calls of a load that began at a moment into the timeline, a lane for each client.
func Lanes(began time.Time, calls []history.Call) {
	byClient := map[string][]history.Call{}
	for _, c := range calls {
		byClient[c.Client] = append(byClient[c.Client], c)
	}
	for _, client := range slices.Sorted(maps.Keys(byClient)) {
		entry(lane(began, client, byClient[client]))
	}
}

func lane(began time.Time, client string, calls []history.Call) verdict.Lane {
	var shown []verdict.Call
	for _, c := range calls {
		shown = append(shown, verdict.Call{At: began.Add(c.Begin), Took: (c.End - c.Begin).Seconds(), Outcome: string(c.Outcome)})
	}
	return sampled(client, shown)
}

// sampled is a lane of all calls that were not answered well, and a sample of the others.
func sampled(client string, calls []verdict.Call) verdict.Lane {
	ok := string(history.OK)
	good := 0
	for _, c := range calls {
		if c.Outcome == ok {
			good++
		}
	}
	l := verdict.Lane{Client: client}
	n := 0
	for _, c := range calls {
		if c.Outcome == ok {
			n++
			if good > laneCalls && n*laneCalls/good == (n-1)*laneCalls/good {
				continue
			}
		}
		l.Calls = append(l.Calls, c)
	}
	return l
}

// Spend notes how much of a budget was used, as something else than waiting has measured it, and fails the spec when it was exceeded.
func Spend(b budget.Budget, from time.Time, took time.Duration, subject string) {
	ginkgo.GinkgoHelper()
	Spent(b, from, took, subject)
	inTime(b, from, took, subject)
}

// Keep puts evidence into the report that is too long for anybody's eyes.
func Keep(name, text string) {
	ginkgo.AddReportEntry(name, ginkgo.ReportEntryVisibilityNever, text)
}
