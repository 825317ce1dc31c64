package page

import (
	"cmp"
	"slices"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// spent is a budget and how much of it was used, as a bar of which the limit is the whole.
type spent struct {
	Budget, Why, Subject string
	Limit, Took          float64
	// By and Times are those of the run's table, Offset is when the time began to count in a timeline.
	By     string
	Times  int
	Offset string
	// W is the used part in per cent. Over: more than there was; Close: more than four fifths.
	W           string
	Over, Close bool
	Measured    bool
}

func bar(limit, took float64) spent {
	return spent{Limit: limit, Took: took, W: percent(min(took, limit), limit), Over: took > limit, Close: took <= limit && took > 0.8*limit, Measured: true}
}

func spentOf(all []verdict.Spent) (told []spent) {
	for _, s := range all {
		one := bar(s.Limit, s.Took)
		one.Budget, one.Why, one.Subject = s.Budget, s.Why, s.Subject
		told = append(told, one)
	}
	return told
}

// budgets are those of the run's table: first what was measured.
func budgets(all []record.Budget) (told []spent) {
	for _, b := range all {
		one := bar(b.Limit, b.Used)
		one.Budget, one.Why, one.By, one.Times, one.Measured = b.Name, b.Why, b.By, b.Times, b.Times > 0
		told = append(told, one)
	}
	slices.SortStableFunc(told, func(a, b spent) int { return cmp.Compare(min(1, b.Times), min(1, a.Times)) })
	return told
}
