package kills

import (
	"slices"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

func row(name string, killed bool, outcomes map[string]verdict.Outcome) Row {
	return Row{Mutant: Mutant{Name: name, File: "room/file.go"}, Killed: killed, Outcomes: outcomes}
}

// TestMatrixKeepsWhatIsTrue: newer rows replace older ones, mutants that are no more leave, and only a kill proves a requirement.
func TestMatrixKeepsWhatIsTrue(t *testing.T) {
	old := Matrix{Rows: []Row{
		row("renewed", false, nil), row("kept", true, map[string]verdict.Outcome{"A-1": verdict.Failed, "A-2": verdict.Passed}), row("gone", true, map[string]verdict.Outcome{"A-9": verdict.Failed}),
	}}
	newer := []Row{row("renewed", true, map[string]verdict.Outcome{"A-1": verdict.Failed}), row("added", false, map[string]verdict.Outcome{"A-3": verdict.Failed})}
	dir := t.TempDir()
	if err := old.With(newer, []Mutant{{Name: "added"}, {Name: "kept"}, {Name: "never run"}, {Name: "renewed"}}).Write(dir); err != nil {
		t.Fatal(err)
	}
	m, err := ReadMatrix(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range m.Rows {
		names = append(names, r.Name)
	}
	if want := []string{"added", "kept", "renewed"}; !slices.Equal(names, want) {
		t.Errorf("rows %v, want %v", names, want)
	}
	if proven := m.Proven(); !proven["A-1"] || proven["A-2"] || proven["A-3"] || proven["A-9"] {
		t.Errorf("proven %v, want A-1 alone", proven)
	}
	if m.Killed() != 2 {
		t.Errorf("%d killed, want 2", m.Killed())
	}
	if table := m.table(); !strings.Contains(table, "| A-1 | kept, renewed |") || !strings.Contains(table, "| added | room |  | **not killed** |") {
		t.Errorf("table:\n%s", table)
	}
}
