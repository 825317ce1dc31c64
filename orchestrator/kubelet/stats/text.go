package stats

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// text collects samples by metric and writes them in Prometheus' text format, each metric with the times at which it was measured.
type text struct{ families map[string]*family }

type family struct {
	kind    string
	samples strings.Builder
}

// Kinds of metrics.
const (
	counter = "counter"
	gauge   = "gauge"
)

// add a sample; labels are NAME="VALUE" pairs between commas, or empty.
func (t *text) add(name, kind, labels string, value float64, at time.Time) {
	if t.families == nil {
		t.families = map[string]*family{}
	}
	f := t.families[name]
	if f == nil {
		f = &family{kind: kind}
		t.families[name] = f
	}
	if labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(&f.samples, "%s%s %s", name, labels, strconv.FormatFloat(value, 'g', -1, 64))
	if !at.IsZero() {
		fmt.Fprintf(&f.samples, " %d", at.UnixMilli())
	}
	f.samples.WriteByte('\n')
}

// whole adds a sample of what may not have been measured.
func (t *text) whole(name, kind, labels string, value *uint64, at time.Time) {
	if value != nil {
		t.add(name, kind, labels, float64(*value), at)
	}
}

// pairs makes labels of names and values in turn.
func pairs(namesAndValues ...string) string {
	var all []string
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		all = append(all, namesAndValues[i]+"="+strconv.Quote(namesAndValues[i+1]))
	}
	return strings.Join(all, ",")
}

// contentType of the text format.
const contentType = "text/plain; version=0.0.4; charset=utf-8"

func (t *text) write(w io.Writer) {
	names := make([]string, 0, len(t.families))
	for name := range t.families {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f := t.families[name]
		fmt.Fprintf(w, "# TYPE %s %s\n%s", name, f.kind, f.samples.String())
	}
}
