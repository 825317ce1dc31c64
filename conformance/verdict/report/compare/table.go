package compare

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Print writes the difference for people, what broke first.
func (d *Difference) Print(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, part := range []struct {
		title string
		all   []Outcome
	}{
		{"passed before, and does not now", d.Broken}, {"passes now", d.Mended}, {"changed", d.Changed}, {"new requirements", d.Added}, {"requirements that are gone", d.Gone},
	} {
		if len(part.all) == 0 {
			continue
		}
		fmt.Fprintf(t, "%s (%d)\n", part.title, len(part.all))
		for _, o := range part.all {
			fmt.Fprintf(t, "  %s\t%s -> %s\t%s\n", o.ID, cmp.Or(o.A, "-"), cmp.Or(o.B, "-"), o.Requirement)
			if line, _, _ := strings.Cut(o.Message, "\n"); line != "" && o.A == verdict.Passed {
				fmt.Fprintf(t, "  \t\t  %s\n", line)
			}
		}
	}
	if len(d.Budgets) > 0 {
		fmt.Fprintf(t, "budgets, seconds used of the limit (%d)\n", len(d.Budgets))
	}
	for _, b := range d.Budgets {
		fmt.Fprintf(t, "  %s\t%s -> %s\t%s\n", b.Name, use(b.UsedA, b.LimitA), use(b.UsedB, b.LimitB), b.By)
	}
	fields(t, "run on and by", d.Environment)
	fields(t, "changes of leaders", d.Leadership)
	if d.Unselected > 0 {
		fmt.Fprintf(t, "not compared, because one of the runs was partial: %d requirements\n", d.Unselected)
	}
	if d.Same() {
		fmt.Fprintln(t, "no difference")
	}
	return t.Flush()
}

func fields(t io.Writer, title string, all []Field) {
	if len(all) > 0 {
		fmt.Fprintf(t, "%s (%d)\n", title, len(all))
	}
	for _, f := range all {
		fmt.Fprintf(t, "  %s\t%s -> %s\n", f.Name, cmp.Or(f.A, "-"), cmp.Or(f.B, "-"))
	}
}

// use is "4.2 of 11 (38%)".
func use(used, limit float64) string {
	return fmt.Sprintf("%.1f of %g (%.0f%%)", used, limit, 100*used/limit)
}
