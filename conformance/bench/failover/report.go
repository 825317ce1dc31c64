package failover

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// Report is every round of a run.
type Report struct {
	Sides  []string `json:"sides"`
	Rounds []Round  `json:"rounds"`
}

// Row is one figure of one case, of each side. Times are in seconds; Goal is for the worst round of the first side, 0 is none.
type Row struct {
	Case   string             `json:"case"`
	Figure string             `json:"figure"`
	Goal   float64            `json:"goal,omitempty"`
	Median map[string]float64 `json:"median"`
	Worst  map[string]float64 `json:"worst"`
	Met    *bool              `json:"met,omitempty"`
}

// figure is one number of a round; goal 0 is none.
type figure struct {
	name string
	of   func(Round) float64
	goal func(faultCase) time.Duration
}

// late tells whether a value misses the goal, if there is one.
func (f figure) late(c faultCase, value float64) bool {
	goal := f.goal(c).Seconds()
	return goal > 0 && value > goal
}

// figures of a round, in the order of the table.
var figures = []figure{
	{"every client writes again", func(r Round) float64 { return r.EveryWriter }, func(c faultCase) time.Duration { return c.writes }},
	{"some client writes again", func(r Round) float64 { return r.AnyWriter }, func(faultCase) time.Duration { return 0 }},
	{"a Deployment has its ReplicaSet", func(r Round) float64 { return r.ReplicaSet }, func(faultCase) time.Duration { return placedGoal }},
	{"its pod has a node", func(r Round) float64 { return r.Placed }, func(faultCase) time.Duration { return placedGoal }},
}

// Rows of the cases that were measured.
func (r *Report) Rows() (rows []Row) {
	for _, c := range cases() {
		for _, f := range figures {
			row := Row{Case: c.name, Figure: f.name, Goal: f.goal(c).Seconds(), Median: map[string]float64{}, Worst: map[string]float64{}}
			for _, side := range r.Sides {
				if values := r.values(c.name, side, f.of); len(values) > 0 {
					row.Median[side], row.Worst[side] = median(values), slices.Max(values)
				}
			}
			if len(row.Median) == 0 {
				continue
			}
			if worst, measured := row.Worst[r.Sides[0]]; measured && row.Goal > 0 {
				met := !f.late(c, worst)
				row.Met = &met
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func (r *Report) values(name, side string, of func(Round) float64) (values []float64) {
	for _, round := range r.Rounds {
		if round.Case == name && round.Side == side {
			values = append(values, of(round))
		}
	}
	return values
}

// median is the lower one of two in the middle: a time that was measured.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// Print writes the table.
func (r *Report) Print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "case\tseconds until")
	for _, side := range r.Sides {
		fmt.Fprintf(table, "\t%s p50\tworst", side)
	}
	fmt.Fprint(table, "\tgoal\t\n")
	for _, row := range r.Rows() {
		fmt.Fprintf(table, "%s\t%s", row.Case, row.Figure)
		for _, side := range r.Sides {
			fmt.Fprintf(table, "\t%.2f\t%.2f", row.Median[side], row.Worst[side])
		}
		switch {
		case row.Met == nil:
			fmt.Fprint(table, "\t\t\n")
		case *row.Met:
			fmt.Fprintf(table, "\t%.1f\tmet\n", row.Goal)
		default:
			fmt.Fprintf(table, "\t%.1f\tMISSED\n", row.Goal)
		}
	}
	return table.Flush()
}

// Save writes rows and rounds as JSON.
func (r *Report) Save(path string) error {
	data, err := json.MarshalIndent(map[string]any{"sides": r.Sides, "rows": r.Rows(), "rounds": r.Rounds}, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, append(data, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("save the figures: %w", err)
	}
	return nil
}
