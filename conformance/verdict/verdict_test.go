package verdict

import "testing"

func TestJudgeFailsClosed(t *testing.T) {
	wanted := []Requirement{{ID: "A-1"}, {ID: "A-2"}}
	pass := func(id string) Result { return Result{ID: id, Outcome: Passed} }
	for name, row := range map[string]struct {
		ran      []Result
		selected []string
		doubts   []Doubt
		exit     int
		text     string
	}{
		"all passed":               {[]Result{pass("A-1"), pass("A-2")}, nil, nil, ExitConformant, "CONFORMANT: 2 of 2 requirements passed"},
		"one missing":              {[]Result{pass("A-1")}, nil, nil, ExitInconclusive, "INCONCLUSIVE: 1 of 2 requirements passed"},
		"one skipped":              {[]Result{pass("A-1"), {ID: "A-2", Outcome: Skipped}}, nil, nil, ExitInconclusive, "INCONCLUSIVE: 1 of 2 requirements passed"},
		"failure beats the rest":   {[]Result{{ID: "A-1", Outcome: Failed}, {ID: "A-2", Outcome: Inconclusive}}, nil, nil, ExitFailed, "NOT CONFORMANT: 0 of 2 requirements passed"},
		"a retry does not help":    {[]Result{{ID: "A-1", Outcome: Failed}, pass("A-1"), pass("A-2")}, nil, nil, ExitFailed, "NOT CONFORMANT: 1 of 2 requirements passed"},
		"nothing ran":              {nil, nil, nil, ExitInconclusive, "INCONCLUSIVE: nothing ran: 0 of 2 requirements passed"},
		"partial and passed":       {[]Result{pass("A-1")}, []string{"A-1"}, nil, ExitConformant, "PARTIAL: 1 of 2 requirements passed"},
		"partial and nothing ran":  {nil, []string{}, nil, ExitInconclusive, "PARTIAL: 0 of 2 requirements passed"},
		"selected but lost":        {[]Result{pass("A-1")}, []string{"A-1", "A-2"}, nil, ExitInconclusive, "PARTIAL: 1 of 2 requirements passed"},
		"partial and failed":       {[]Result{{ID: "A-1", Outcome: Failed}}, []string{"A-1"}, nil, ExitFailed, "PARTIAL: 0 of 2 requirements passed"},
		"interrupted":              {[]Result{pass("A-1"), pass("A-2")}, nil, []Doubt{{"interrupted", false}}, ExitInconclusive, "INCONCLUSIVE: interrupted: 2 of 2 requirements passed"},
		"a failure beats a doubt":  {[]Result{pass("A-1"), {ID: "A-2", Outcome: Failed}}, nil, []Doubt{{"interrupted", false}}, ExitFailed, "NOT CONFORMANT: 1 of 2 requirements passed"},
		"whose failure was it":     {[]Result{pass("A-1"), {ID: "A-2", Outcome: Failed}}, nil, []Doubt{{"the target changed", true}}, ExitInconclusive, "INCONCLUSIVE: the target changed: 1 of 2 requirements passed"},
		"a partial run in doubt":   {[]Result{pass("A-1")}, []string{"A-1"}, []Doubt{{"the target changed", true}}, ExitInconclusive, "PARTIAL: the target changed: 1 of 2 requirements passed"},
		"a stranger does not help": {[]Result{pass("A-1"), pass("B-9")}, nil, nil, ExitInconclusive, "INCONCLUSIVE: 1 of 2 requirements passed"},
	} {
		t.Run(name, func(t *testing.T) {
			v := Judge(wanted, row.ran, row.selected, row.doubts...)
			if v.Exit != row.exit || v.Text != row.text {
				t.Fatalf("got %d %q, want %d %q", v.Exit, v.Text, row.exit, row.text)
			}
		})
	}
}
