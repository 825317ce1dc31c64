package kills

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Matrix is the proof: what each mutant made fail.
type Matrix struct {
	Rows []Row `json:"mutants"`
}

// Row is one mutant.
type Row struct {
	Mutant
	// Outcomes are those of its requirements.
	Outcomes map[string]verdict.Outcome `json:"outcomes"`
	// Killed: at least one of them failed that passes without the mutant. Inconclusive is no kill.
	Killed bool `json:"killed"`
	// Trouble is why it could not be run.
	Trouble string  `json:"trouble,omitempty"`
	Seconds float64 `json:"seconds"`
}

func (r Row) fate() string {
	switch {
	case r.Killed:
		return "killed by " + strings.Join(r.failed(), ", ")
	case r.Trouble != "":
		return "NOT RUN: " + r.Trouble
	}
	return fmt.Sprintf("SURVIVED: %v", r.Outcomes)
}

// failed are the requirements that failed, sorted.
func (r Row) failed() []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(r.Outcomes)) {
		if r.Outcomes[id] == verdict.Failed {
			ids = append(ids, id)
		}
	}
	return ids
}

// Names of the two forms.
const (
	matrixJSON = "matrix.json"
	matrixText = "matrix.md"
)

// ReadMatrix from a folder; a folder without one has an empty one.
func ReadMatrix(dir string) (Matrix, error) {
	var m Matrix
	data, err := os.ReadFile(filepath.Join(dir, matrixJSON))
	if os.IsNotExist(err) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	return m, err
}

// With is the matrix with newer rows in place of older ones; rows of mutants that are no more are dropped.
func (m Matrix) With(newer []Row, all []Mutant) Matrix {
	var merged Matrix
	for _, mutant := range all {
		named := func(r Row) bool { return r.Name == mutant.Name }
		if i := slices.IndexFunc(newer, named); i >= 0 {
			merged.Rows = append(merged.Rows, newer[i])
		} else if i := slices.IndexFunc(m.Rows, named); i >= 0 {
			merged.Rows = append(merged.Rows, m.Rows[i])
		}
	}
	return merged
}

// Killed counts.
func (m Matrix) Killed() (killed int) {
	for _, r := range m.Rows {
		if r.Killed {
			killed++
		}
	}
	return killed
}

// Proven are the requirements that killed a mutant.
func (m Matrix) Proven() map[string]bool {
	proven := map[string]bool{}
	for _, r := range m.Rows {
		for _, id := range r.failed() {
			proven[id] = proven[id] || r.Killed
		}
	}
	return proven
}

// Write puts both forms into a folder.
func (m Matrix) Write(dir string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, matrixJSON), append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, matrixText), []byte(m.table()), 0o644)
}

// table is for people: by mutant, and by requirement.
func (m Matrix) table() string {
	var out strings.Builder
	killers := map[string][]string{}
	fmt.Fprintf(&out, "# Mutants and what kills them\n\n%d of %d mutants killed. Made by `make mutants`; do not edit.\n\n", m.Killed(), len(m.Rows))
	out.WriteString("| mutant | in | bug | fails |\n|---|---|---|---|\n")
	for _, r := range m.Rows {
		fate := "**not killed**"
		if r.Killed {
			fate = strings.Join(r.failed(), ", ")
			for _, id := range r.failed() {
				killers[id] = append(killers[id], r.Name)
			}
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", r.Name, filepath.Dir(r.File), r.Bug, fate)
	}
	out.WriteString("\n| requirement | fails on |\n|---|---|\n")
	for _, id := range slices.Sorted(maps.Keys(killers)) {
		fmt.Fprintf(&out, "| %s | %s |\n", id, strings.Join(killers[id], ", "))
	}
	return out.String()
}
