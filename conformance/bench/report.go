package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// goal bounds the ratio of the first side's median to the second's; the zero value is no goal.
type goal struct{ atMost, atLeast float64 }

func (g goal) met(ratio float64) bool {
	return (g.atMost == 0 || ratio <= g.atMost) && ratio >= g.atLeast
}

func (g goal) String() string {
	switch {
	case g.atMost != 0:
		return fmt.Sprintf("<= %.2f", g.atMost)
	case g.atLeast != 0:
		return fmt.Sprintf(">= %.2f", g.atLeast)
	}
	return ""
}

// Report is every figure of a run.
type Report struct {
	sides   []string
	samples map[measure]map[string][]float64
}

func newReport(sides []*side) *Report {
	r := &Report{samples: map[measure]map[string][]float64{}}
	for _, s := range sides {
		r.sides = append(r.sides, s.name)
	}
	return r
}

func (r *Report) add(side string, got sample) {
	for m, value := range got {
		if r.samples[m] == nil {
			r.samples[m] = map[string][]float64{}
		}
		r.samples[m][side] = append(r.samples[m][side], value)
	}
}

// Row is one measure, as it is saved.
type Row struct {
	Name    string               `json:"name"`
	Unit    string               `json:"unit"`
	Medians map[string]float64   `json:"medians"`
	Rounds  map[string][]float64 `json:"rounds"`
	// Ratio of the first side's median to the second's; absent when one side was measured.
	Ratio *float64 `json:"ratio,omitempty"`
	Goal  string   `json:"goal,omitempty"`
	// Met is absent without a goal or a second side.
	Met *bool `json:"met,omitempty"`
}

// Rows in the order of the experiments.
func (r *Report) Rows() []Row {
	measures := slices.SortedFunc(maps.Keys(r.samples), func(a, b measure) int { return cmp.Compare(a.order, b.order) })
	var rows []Row
	for _, m := range measures {
		row := Row{Name: m.name, Unit: m.unit, Medians: map[string]float64{}, Rounds: r.samples[m], Goal: m.goal.String()}
		for side, values := range r.samples[m] {
			row.Medians[side] = median(values)
		}
		if len(r.sides) == 2 && row.Medians[r.sides[1]] > 0 {
			ratio := row.Medians[r.sides[0]] / row.Medians[r.sides[1]]
			row.Ratio = &ratio
			if row.Goal != "" {
				met := m.goal.met(ratio)
				row.Met = &met
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Print writes the table.
func (r *Report) Print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "measure\tunit\t%s\tratio\tgoal\t\n", strings.Join(r.sides, "\t"))
	for _, row := range r.Rows() {
		fmt.Fprintf(table, "%s\t%s", row.Name, row.Unit)
		for _, side := range r.sides {
			fmt.Fprintf(table, "\t%.1f", row.Medians[side])
		}
		fmt.Fprintf(table, "\t%s\t%s\t%s\n", row.ratio(len(r.sides)), row.Goal, row.verdict())
	}
	return table.Flush()
}

func (row Row) ratio(sides int) string {
	switch {
	case row.Ratio != nil:
		return fmt.Sprintf("%.2f", *row.Ratio)
	case sides < 2:
		return "no peer given"
	}
	return "-"
}

func (row Row) verdict() string {
	switch {
	case row.Met == nil:
		return ""
	case *row.Met:
		return "met"
	}
	return "MISSED"
}

// Save writes the rows as JSON.
func (r *Report) Save(path string) error {
	data, err := json.MarshalIndent(map[string]any{"sides": r.sides, "rows": r.Rows()}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("save the figures: %w", err)
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("save the figures: %w", err)
	}
	return nil
}
