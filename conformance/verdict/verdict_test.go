package verdict

import "testing"

func TestJudgeFailsClosed(t *testing.T) {
	wanted := []Requirement{{ID: "A-1"}, {ID: "A-2"}}
	pass := func(id string) Result { return Result{ID: id, Outcome: Passed} }
	for name, row := range map[string]struct {
		ran     []Result
		partial bool
		exit    int
		text    string
	}{
		"all passed":               {[]Result{pass("A-1"), pass("A-2")}, false, ExitConformant, "CONFORMANT: 2 of 2 requirements passed"},
		"one missing":              {[]Result{pass("A-1")}, false, ExitInconclusive, "INCONCLUSIVE: 1 of 2 requirements passed"},
		"one skipped":              {[]Result{pass("A-1"), {ID: "A-2", Outcome: Skipped}}, false, ExitInconclusive, "INCONCLUSIVE: 1 of 2 requirements passed"},
		"failure beats the rest":   {[]Result{{ID: "A-1", Outcome: Failed}, {ID: "A-2", Outcome: Inconclusive}}, false, ExitFailed, "NOT CONFORMANT: 0 of 2 requirements passed"},
		"a retry does not help":    {[]Result{{ID: "A-1", Outcome: Failed}, pass("A-1"), pass("A-2")}, false, ExitFailed, "NOT CONFORMANT: 1 of 2 requirements passed"},
		"nothing ran":              {nil, false, ExitInconclusive, "INCONCLUSIVE: nothing ran: 0 of 2 requirements passed"},
		"partial and passed":       {[]Result{pass("A-1")}, true, ExitConformant, "PARTIAL: 1 of 2 requirements passed"},
		"partial and nothing ran":  {nil, true, ExitInconclusive, "PARTIAL: 0 of 2 requirements passed"},
		"partial and failed":       {[]Result{{ID: "A-1", Outcome: Failed}}, true, ExitFailed, "PARTIAL: 0 of 2 requirements passed"},
		"a stranger does not help": {[]Result{pass("A-1"), pass("B-9")}, false, ExitInconclusive, "INCONCLUSIVE: 1 of 2 requirements passed"},
	} {
		t.Run(name, func(t *testing.T) {
			v := Judge(wanted, row.ran, row.partial)
			if v.Exit != row.exit || v.Text != row.text {
				t.Fatalf("got %d %q, want %d %q", v.Exit, v.Text, row.exit, row.text)
			}
		})
	}
}
