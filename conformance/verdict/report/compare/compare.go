// Package compare tells how one report differs from an earlier one: what no longer passes, what is slower, what was another thing altogether.
//
// It owns what counts as a difference worth telling, and the table of them. It is fed two reports by plumb diff, believes both - whether they can be
// trusted is package audit's question - and gives no verdict on either.
package compare

import (
	"cmp"
	"slices"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// Difference of B from A.
type Difference struct {
	// Broken passed in A, and did not in B; Mended the other way round; Changed are all other changes of an outcome.
	Broken  []Outcome `json:"broken"`
	Mended  []Outcome `json:"mended"`
	Changed []Outcome `json:"changed"`
	// Added and Gone are in one report only. Unselected are those that a focus or a shard of one of them left out: nobody can compare them.
	Added      []Outcome `json:"added"`
	Gone       []Outcome `json:"gone"`
	Unselected int       `json:"unselected"`
	Budgets    []Budget  `json:"budgets"`
	// Environment is what was judged and by what: target, nodes, harness, settings, images.
	Environment []Field `json:"environment"`
	// Leadership is how often leaders changed, when that differs.
	Leadership []Field `json:"leadership"`
}

// Outcome of a requirement in both reports; empty where it was not.
type Outcome struct {
	ID          string          `json:"id"`
	Requirement string          `json:"requirement"`
	A           verdict.Outcome `json:"a,omitempty"`
	B           verdict.Outcome `json:"b,omitempty"`
	// Message says why it did not pass in B.
	Message string `json:"message,omitempty"`
}

// Budget that is used more, or was changed, in seconds.
type Budget struct {
	Name   string  `json:"name"`
	LimitA float64 `json:"limitA"`
	LimitB float64 `json:"limitB"`
	UsedA  float64 `json:"usedA"`
	UsedB  float64 `json:"usedB"`
	// By used the most in B.
	By string `json:"by,omitempty"`
}

// Field has another value in B.
type Field struct {
	Name string `json:"name"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// Of compares B with A.
func Of(a, b *record.Report) *Difference {
	d := &Difference{
		Broken: []Outcome{}, Mended: []Outcome{}, Changed: []Outcome{}, Added: []Outcome{}, Gone: []Outcome{}, Budgets: []Budget{},
		Environment: environment(a, b), Leadership: differing(led(a), led(b)),
	}
	was := byID(a)
	for _, r := range b.Results {
		d.outcome(was[r.ID], r, a.Partial)
		delete(was, r.ID)
	}
	for _, r := range a.Results {
		if _, left := was[r.ID]; left {
			d.outcome(r, verdict.Result{ID: r.ID, Requirement: r.Requirement}, b.Partial)
		}
	}
	for _, used := range b.Budgets {
		d.budget(a.Budgets, used)
	}
	// What fails comes before what is only open.
	slices.SortStableFunc(d.Broken, func(x, y Outcome) int { return cmp.Compare(severity(x.B), severity(y.B)) })
	return d
}

// Worse tells whether something that passed in A does not in B.
func (d *Difference) Worse() bool { return len(d.Broken) > 0 }

// Same tells whether there is nothing to tell.
func (d *Difference) Same() bool {
	return len(d.Broken)+len(d.Mended)+len(d.Changed)+len(d.Added)+len(d.Gone)+len(d.Budgets)+len(d.Environment)+len(d.Leadership)+d.Unselected == 0
}

// severity puts failures first.
func severity(o verdict.Outcome) int {
	if o == verdict.Failed {
		return 0
	}
	return 1
}

func byID(r *record.Report) map[string]verdict.Result {
	all := map[string]verdict.Result{}
	for _, result := range r.Results {
		all[result.ID] = result
	}
	return all
}

// outcome of a requirement that was a and is b; one of them is without an outcome when its report does not have it, which for a partial one means
// nothing.
func (d *Difference) outcome(a, b verdict.Result, partial bool) {
	o := Outcome{ID: b.ID, Requirement: b.Requirement, A: a.Outcome, B: b.Outcome, Message: b.Message}
	absent := a.Outcome == "" || b.Outcome == ""
	switch {
	case a.Outcome == b.Outcome:
	case absent && partial:
		d.Unselected++
	case a.Outcome == "":
		d.Added = append(d.Added, o)
	case b.Outcome == "":
		d.Gone = append(d.Gone, o)
	case a.Outcome == verdict.Passed:
		d.Broken = append(d.Broken, o)
	case b.Outcome == verdict.Passed:
		d.Mended = append(d.Mended, o)
	default:
		d.Changed = append(d.Changed, o)
	}
}

// What is notable of a budget's use, in shares of its limit: it grew by so much, or came so near to the limit.
const (
	grown = 0.1
	near  = 0.8
)

func (d *Difference) budget(earlier []record.Budget, b record.Budget) {
	i := slices.IndexFunc(earlier, func(a record.Budget) bool { return a.Name == b.Name })
	if i < 0 {
		return
	}
	a := earlier[i]
	measured := a.Times > 0 && b.Times > 0
	before, now := a.Used/a.Limit, b.Used/b.Limit
	if a.Limit != b.Limit || measured && (now-before >= grown || now >= near && now > before) {
		d.Budgets = append(d.Budgets, Budget{Name: b.Name, LimitA: a.Limit, LimitB: b.Limit, UsedA: a.Used, UsedB: b.Used, By: b.By})
	}
}
