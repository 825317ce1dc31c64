package verdict

import "testing"

func TestToRunAgainNeverMakesAFailureAPass(t *testing.T) {
	for name, row := range map[string]struct {
		earlier, now, want Outcome
		flaky              bool
	}{
		"failed, then passed":       {Failed, Passed, Failed, true},
		"failed twice":              {Failed, Failed, Failed, false},
		"open, then passed":         {Inconclusive, Passed, Inconclusive, true},
		"open, then failed":         {Inconclusive, Failed, Failed, false},
		"missing, then passed":      {Missing, Passed, Missing, true},
		"failed, then did not run":  {Failed, Missing, Failed, false},
		"skipped, then open":        {Skipped, Inconclusive, Inconclusive, false},
		"missing, and again so":     {Missing, Missing, Missing, false},
		"failed, then inconclusive": {Failed, Inconclusive, Failed, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := Again(Result{ID: "A-1", Outcome: row.earlier, Message: "then"}, Result{ID: "A-1", Outcome: row.now})
			if r.Outcome != row.want || r.Flaky() != row.flaky || len(r.Attempts) != 2 || r.Attempts[0].Message != "then" || r.Last() != row.now {
				t.Errorf("%+v", r)
			}
			if third := Again(r, Result{ID: "A-1", Outcome: Passed}); third.Outcome != row.want || len(third.Attempts) != 3 || len(r.Attempts) != 2 {
				t.Errorf("a third time: %+v", third)
			}
		})
	}
}
