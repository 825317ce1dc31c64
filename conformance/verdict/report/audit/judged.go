package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report"
)

// patience is how many times longer than in the run a history may be searched: this machine may be slower.
const patience = 6

// judged are the results with the outcomes that their evidence leaves them; a finding tells of each that differs. It never makes one better. Evidence
// is that of the last attempt.
func (a *Audit) judged(ctx context.Context) ([]verdict.Result, error) {
	var all []verdict.Result
	for _, r := range a.Report.Results {
		now := r
		now.Outcome = r.Last()
		for _, doubt := range a.doubts(now) {
			if worse := verdict.Worse(verdict.Result{Outcome: doubt.makes}, now); worse.Outcome == now.Outcome {
				continue
			}
			if !a.flawed[doubt.file] {
				a.find(at(r.ID)+".outcome", fmt.Sprintf("states %s, and its evidence makes it %s: %s", now.Outcome, doubt.makes, doubt.why), rerun)
			}
			now.Outcome = doubt.makes
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.Outcome = verdict.Worse(now, r).Outcome
		all = append(all, r)
	}
	return all, nil
}

// doubt is what evidence makes of an outcome.
type doubt struct {
	makes verdict.Outcome
	why   string
	// file is the one that tells, or empty.
	file string
}

// doubts of one result.
func (a *Audit) doubts(r verdict.Result) (all []doubt) {
	if t := r.Timeline; t != nil && r.Outcome == verdict.Passed {
		for _, why := range unwitnessed(t.Marks) {
			all = append(all, doubt{makes: verdict.Inconclusive, why: why})
		}
		all = append(all, a.overspent(t.Spent)...)
		a.Faults += injected(t.Marks)
	}
	kept, judged := false, false
	for _, e := range r.Evidence {
		switch e.Name {
		case verdict.History:
			kept = true
			all = append(all, a.history(e)...)
			continue
		case verdict.Judged:
			judged = true
		}
		if _, err := report.Open(a.dir, e); err != nil && !a.flawed[e.File] {
			a.find(at(r.ID)+".evidence["+e.Name+"]", err.Error(), restore)
		}
	}
	if judged && !kept {
		all = append(all, doubt{makes: verdict.Inconclusive, why: "the history that was judged is not there"})
	}
	if r.Outcome == verdict.Passed {
		for _, why := range r.Unproven() {
			all = append(all, doubt{makes: verdict.Inconclusive, why: why})
		}
	}
	return all
}

// history judges one that was kept.
func (a *Audit) history(e verdict.Evidence) []doubt {
	text, err := report.Open(a.dir, e)
	if err != nil {
		return []doubt{{verdict.Inconclusive, err.Error(), e.File}}
	}
	var kept history.Case
	if err := json.Unmarshal(text, &kept); err != nil {
		return []doubt{{verdict.Inconclusive, fmt.Sprintf("%s is no history: %v", e.File, err), e.File}}
	}
	if len(kept.History.Calls) == 0 {
		return []doubt{{verdict.Inconclusive, e.File + " holds no call of a client", e.File}}
	}
	if len(kept.Enough.Acknowledged) == 0 {
		return []doubt{{verdict.Inconclusive, e.File + " does not say how much load there must have been", e.File}}
	}
	a.Histories++
	v := kept.Judge(patience * budget.JudgeTime.Limit())
	switch {
	case len(v.Wrong) > 0:
		return []doubt{{verdict.Failed, strings.TrimPrefix(e.File+": "+more(v.Wrong), ": "), e.File}}
	case v.Inconclusive != "":
		return []doubt{{verdict.Inconclusive, strings.TrimPrefix(e.File+": "+v.Inconclusive, ": "), e.File}}
	}
	return nil
}

// more is the first of several, and how many others there are.
func more(all []string) string {
	if len(all) == 1 {
		return all[0]
	}
	return fmt.Sprintf("%s (and %d more)", all[0], len(all)-1)
}

func injected(marks []verdict.Mark) (n int) {
	for _, m := range marks {
		if m.Kind == verdict.Injected {
			n++
		}
	}
	return n
}

// unwitnessed follows the life of each fault: as often as it was injected, it must have been witnessed, and its healing witnessed after that.
func unwitnessed(marks []verdict.Mark) (wrong []string) {
	var order []string
	last := map[string]verdict.Kind{}
	end := func(fault string) {
		switch last[fault] {
		case verdict.Injected:
			wrong = append(wrong, fmt.Sprintf("the fault %q was never witnessed", fault))
		case verdict.Witnessed:
			wrong = append(wrong, fmt.Sprintf("nobody witnessed that the fault %q healed", fault))
		}
	}
	for _, m := range marks {
		switch was := last[m.Subject]; {
		case m.Kind == verdict.Injected:
			end(m.Subject)
			last[m.Subject] = m.Kind
			order = append(order, m.Subject)
		case m.Kind == verdict.Witnessed && was == verdict.Injected, m.Kind == verdict.Healed && was == verdict.Witnessed:
			last[m.Subject] = m.Kind
		case m.Kind == verdict.Witnessed, m.Kind == verdict.Healed && was != verdict.Injected:
			wrong = append(wrong, fmt.Sprintf("the fault %q is %s, and it was not %s before", m.Subject, m.Kind, previous[m.Kind]))
		}
	}
	for _, fault := range order {
		end(fault)
		delete(last, fault)
	}
	return wrong
}

// previous is what comes before in the life of a fault.
var previous = map[verdict.Kind]verdict.Kind{verdict.Witnessed: verdict.Injected, verdict.Healed: verdict.Witnessed}

// overspent holds what was used of budgets against their limits.
func (a *Audit) overspent(spent []verdict.Spent) (all []doubt) {
	settings, err := a.settings()
	for _, s := range spent {
		a.Budgets++
		if s.Took > s.Limit {
			all = append(all, doubt{makes: verdict.Failed, why: fmt.Sprintf("%s took %.1f s, and the budget %q is %g s", s.Subject, s.Took, s.Budget, s.Limit)})
		}
		if err != nil {
			continue // granted told it
		}
		if wrong := limit(s.Budget, s.Limit, settings); wrong != "" {
			all = append(all, doubt{makes: verdict.Inconclusive, why: fmt.Sprintf("the budget %q for %s: %s", s.Budget, s.Subject, wrong)})
		}
	}
	return all
}
