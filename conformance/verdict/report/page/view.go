package page

import (
	"html/template"
	"slices"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// view is what the templates show.
type view struct {
	*record.Report
	Policy   string
	Style    template.CSS
	Script   template.JS
	Icon     template.URL
	Headline headline
	Took     float64
	// Counted are the outcomes that occurred, the worst first.
	Counted []count
	// Groups are the profiles with their results; Troubled what did not pass, the worst first; Idle what did not run.
	Groups   []groupOf
	Troubled []requirement
	Idle     []requirement
	Budgets  []spent
	Overview overview
}

// count is how many requirements had an outcome, and where its part of a bar lies, in per cent.
type count struct {
	Outcome verdict.Outcome
	N       int
	X, W    string
}

// groupOf is a profile.
type groupOf struct {
	record.Profile
	Counted []count
	// Left is how many requirements of it the run did not select.
	Left    int
	Results []requirement
}

// requirement is a result and how it is shown.
type requirement struct {
	verdict.Result
	Evidence []evidence
	// Brief is the evidence that people want to see at once.
	Brief []evidence
	Chart *chart
}

func viewOf(r *record.Report, open Open) *view {
	v := &view{Report: r, Headline: headlineOf(r), Took: r.Run.Ended.Sub(r.Run.Began).Seconds(), Counted: counted(r.Counts, len(r.Results))}
	for _, p := range r.Profiles {
		v.Groups = append(v.Groups, groupOf{Profile: p, Counted: counted(p.Counts, p.Requirements)})
	}
	for _, result := range r.Results {
		one := requirement{Result: result, Evidence: evidenceOf(result.Evidence, open), Chart: chartOf(result, changesOf(r.Leadership, result.ID))}
		for _, e := range one.Evidence {
			if e.Brief() {
				one.Brief = append(one.Brief, e)
			}
		}
		v.add(one)
	}
	slices.SortStableFunc(v.Troubled, func(a, b requirement) int { return slices.Index(order, a.Outcome) - slices.Index(order, b.Outcome) })
	for i := range v.Groups {
		v.Groups[i].Left = max(0, v.Groups[i].Requirements-len(v.Groups[i].Results))
	}
	v.Budgets = budgets(r.Budgets)
	v.Overview = overviewOf(r)
	v.Icon = icon(v.Headline.Tone)
	return v
}

func (v *view) add(one requirement) {
	i := slices.IndexFunc(v.Groups, func(g groupOf) bool { return g.Name == one.Profile })
	if i < 0 { // a report that was counted against other requirements still shows every result
		i = len(v.Groups)
		v.Groups = append(v.Groups, groupOf{Profile: record.Profile{Name: one.Profile}})
	}
	v.Groups[i].Results = append(v.Groups[i].Results, one)
	switch one.Outcome {
	case verdict.Passed:
	case verdict.Missing:
		v.Idle = append(v.Idle, one)
	default:
		v.Troubled = append(v.Troubled, one)
	}
}

// counted lays the outcomes out along a bar of all.
func counted(counts map[verdict.Outcome]int, all int) []count {
	var told []count
	x := 0
	for _, o := range []verdict.Outcome{verdict.Passed, verdict.Skipped, verdict.Missing, verdict.Inconclusive, verdict.Failed} {
		if n := counts[o]; n > 0 {
			told = append(told, count{o, n, percent(float64(x), float64(all)), percent(float64(n), float64(all))})
			x += n
		}
	}
	return told
}

// changesOf are the changes of leaders that a requirement's fault explains.
func changesOf(l *verdict.Leadership, id string) (all []verdict.LeaderChange) {
	if l == nil {
		return nil
	}
	for _, c := range l.Changes {
		if c.Because == id {
			all = append(all, c)
		}
	}
	return all
}

// end is when a result's spec had ended.
func end(r verdict.Result) time.Time {
	return r.Began.Add(time.Duration(r.Seconds * float64(time.Second)))
}

// Passed is how many of a profile passed.
func (g groupOf) Passed() int { return g.Counts[verdict.Passed] }
